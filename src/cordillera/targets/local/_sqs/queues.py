"""A queue and its attributes, as SQS names them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from cordillera.targets.local._sqs.errors import SqsError, invalid

ACCOUNT, REGION = "000000000000", "us-east-1"
LIMITS: Mapping[str, tuple[int, int, int]] = {
    "VisibilityTimeout": (0, 43_200, 30),
    "DelaySeconds": (0, 900, 0),
    "MessageRetentionPeriod": (60, 1_209_600, 345_600),
    "MaximumMessageSize": (1024, 1_048_576, 1_048_576),
    "ReceiveMessageWaitTimeSeconds": (0, 20, 0),
}
"""Attribute -> least, most, default. From the SQS API reference of SetQueueAttributes."""
TRUTHS = ("FifoQueue", "ContentBasedDeduplication")
TAKEN_AS_GIVEN = (
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "Policy",
    "DeduplicationScope",
    "FifoThroughputLimit",
)


@dataclass(frozen=True)
class Queue:
    """A row of the table `queues`. Times are milliseconds since 1970."""

    id: int
    name: str
    attributes: Mapping[str, str]
    created_ms: int
    changed_ms: int

    @property
    def fifo(self) -> bool:
        return self.name.endswith(".fifo")

    @property
    def by_content(self) -> bool:
        """Whether the body tells a message from its repetition."""
        return self.attributes.get("ContentBasedDeduplication") == "true"

    @property
    def retention_ms(self) -> int:
        return self.number("MessageRetentionPeriod") * 1000

    @property
    def _redrive(self) -> Mapping[str, object]:
        policy: Mapping[str, object] = json.loads(self.attributes.get("RedrivePolicy") or "{}")
        return policy

    @property
    def dead_letters(self) -> str:
        """Name of the queue that takes what nobody could work on; empty when there is none."""
        return str(self._redrive.get("deadLetterTargetArn", "")).rpartition(":")[2]

    @property
    def dead_after(self) -> int:
        """Receives after which a message is set aside; 0 is never."""
        return int(str(self._redrive.get("maxReceiveCount", 0))) if self.dead_letters else 0

    def number(self, attribute: str) -> int:
        """An attribute of LIMITS, or its default."""
        return int(self.attributes.get(attribute, LIMITS[attribute][2]))


def arn(name: str) -> str:
    """The resource name of a queue."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def checked(name: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """Attributes as they are kept. Raises SqsError for an unknown name or an impossible value."""
    for key, value in attributes.items():
        if key in LIMITS:
            within(key, value)
        elif key in TRUTHS:
            if value not in ("true", "false"):
                raise invalid(f"Invalid value for the parameter {key}.")
        elif key not in TAKEN_AS_GIVEN:
            raise SqsError("InvalidAttributeName", f"Unknown Attribute {key}.")
    if attributes.get("FifoQueue") == "true" and not name.endswith(".fifo"):
        raise invalid("The name of a FIFO queue can only end in .fifo.")
    return dict(attributes)


def within(key: str, value: object) -> int:
    """A number inside its limits. Raises SqsError."""
    least, most, _ = LIMITS[key]
    text = str(value)
    if not text.lstrip("-").isdigit() or not least <= int(text) <= most:
        raise invalid(
            f"Value {text} for parameter {key} is invalid. It must be from {least} to {most}."
        )
    return int(text)
