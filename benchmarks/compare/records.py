"""What the app has, the same for all who ask: 100 records of 8 fields, 18 KB as JSON."""

import json

RECORDS = [
    {
        "id": number,
        "title": f"Review the report {number}",
        "state": ("open", "done")[number % 2],
        "priority": "high",
        "assignee": number % 7,
        "labels": ["legal", "urgent"],
        "due": "2026-11-21T09:30:00Z",
        "note": "Ask the customer before anything is sent.",
    }
    for number in range(100)
]
FIELDS = tuple(RECORDS[0])
BODY = json.dumps({"items": RECORDS}).encode()
MARK = "Review the report"
"""Once in each record, and in no other place of an answer."""
