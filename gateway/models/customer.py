"""The tenant."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from gateway.models.base import JsonColumn, UTCDateTime, new_id


class Customer(SQLModel, table=True):
    """A customer of the product: it owns connections, and sees nothing of another's."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    external_id: str = Field(unique=True)
    name: str | None = None
    fields: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JsonColumn, nullable=False))
    created_at: datetime = Field(sa_type=UTCDateTime)
    updated_at: datetime = Field(sa_type=UTCDateTime)
