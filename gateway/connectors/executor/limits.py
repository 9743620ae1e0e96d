"""What an operator lets a connector use at most."""

from dataclasses import dataclass

from gateway.config import Settings


@dataclass(frozen=True, kw_only=True)
class ExecutorLimits:
    """Bounds that no connector file exceeds, whatever it says."""

    timeout_seconds: float = 30.0
    """The longest one request may take."""
    deadline_seconds: float = 60.0
    """The longest one read may take in all: its requests, retries and waiting for its turn."""
    max_response_bytes: int = 32 * 1024 * 1024
    """The largest answer that is read."""

    @classmethod
    def from_settings(cls, settings: Settings) -> "ExecutorLimits":
        """The limits that an operator set."""
        return cls(
            timeout_seconds=settings.upstream_timeout_seconds,
            deadline_seconds=settings.upstream_deadline_seconds,
            max_response_bytes=settings.upstream_max_response_bytes,
        )
