"""Somebody's interest in changes."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from gateway.models.base import JsonColumn, UTCDateTime, new_id


class SubscriptionStatus(StrEnum):
    """Whether changes are looked for."""

    SUBSCRIBED = "SUBSCRIBED"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    ERROR = "ERROR"


class EventSubscription(SQLModel, table=True):
    """Interest in one type of change of an instance's records: durable, or a lease that lives only while somebody listens."""

    __tablename__ = "event_subscription"
    __table_args__ = (UniqueConstraint("instance_id", "type"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    instance_id: UUID = Field(foreign_key="data_source_instance.id", ondelete="CASCADE")
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    type: str
    status: str = SubscriptionStatus.SUBSCRIBED.value
    error: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonColumn))
    """Why changes cannot be learned of at present (`code`, `message`)."""
    expires_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When the interest ends unless a listener renews it; null for a durable one."""
    created_at: datetime = Field(sa_type=UTCDateTime)
    updated_at: datetime = Field(sa_type=UTCDateTime)

    def is_live(self, now: datetime) -> bool:
        """Whether somebody is interested now."""
        return self.status != SubscriptionStatus.UNSUBSCRIBED.value and (self.expires_at is None or self.expires_at > now)
