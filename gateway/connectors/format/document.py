"""The documents that connector files are; models are read from such documents too, so they stand below both."""

from gateway.documents import MAX_BYTES, MAX_DEPTH, MAX_VALUES, Document, Place, Problem, shown

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_VALUES", "Document", "Place", "Problem", "shown"]
