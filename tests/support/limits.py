"""Limits for tests that ask for all there is at once, far more than a client may by default."""

from typing import Any

UNLIMITED: dict[str, Any] = {
    "max_depth": 100,
    "max_aliases": 100_000,
    "max_root_fields": 100_000,
    "max_directives": 100_000,
    "max_cost": 10**12,
    "cost_bucket": 10**12,
}
"""Settings to be given beside others; the limit of tokens stays."""
