"""The change engine: it finds out what changed in apps, in the background, and survives whatever happens to its process."""
