"""What `gateway demo` shows: an external app of its own, and everything set up to explore it."""
