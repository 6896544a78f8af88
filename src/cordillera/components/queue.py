"""The queue: what the manifest may ask, what every target must do."""

from typing import Literal

from pydantic import Field

from cordillera.components.base import Section
from cordillera.core.units import Seconds

DAY_S = 86400.0


class DeadLetterSpec(Section):
    """Where messages go that nobody could work on."""

    after: int = Field(default=5, ge=1, le=1000)
    """Receives without a delete after which a message is set aside."""


class QueueSpec(Section):
    """A queue that speaks the SQS protocol."""

    type: Literal["queue"]
    """Says that this resource is a queue."""

    visibility_timeout: Seconds = Field(default=30.0, ge=0, le=43200)
    """How long a received message is hidden from others; not deleted by then, it comes again."""

    delay: Seconds = Field(default=0.0, ge=0, le=900)
    """How long a new message waits before it can be received."""

    retention: Seconds = Field(default=4 * DAY_S, ge=60, le=14 * DAY_S)
    """How long a message is kept."""

    fifo: bool = False
    """In order within a message group, each message once."""

    dead_letter: DeadLetterSpec | None = None
    """Set messages aside that fail again and again, in a queue called NAME-dead."""
