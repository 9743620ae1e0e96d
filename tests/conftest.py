"""The fixtures that every part's tests may ask for."""

from tests.support.database import database

__all__ = ["database"]
