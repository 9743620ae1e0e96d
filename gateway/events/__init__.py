"""Change events: what was seen of records is compared with what was known, recorded in one log, and read from there."""
