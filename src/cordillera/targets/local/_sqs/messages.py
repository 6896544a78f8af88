"""What a message may be: sizes, letters, attributes. From the SQS API reference of SendMessage."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from cordillera.targets.local._sqs.errors import SqsError, invalid, missing
from cordillera.targets.local._sqs.queues import Queue, within
from cordillera.targets.local._sqs.store import NewMessage

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ATTRIBUTE_NAME = re.compile(r"^[A-Za-z0-9_.-]{1,256}$")
ATTRIBUTE_TYPE = re.compile(r"^(String|Number|Binary)(\.[^\s]{1,})?$")
MOST_ATTRIBUTES = 10
GROUP = re.compile(r"^[!-~]{1,128}$")


def new(queue: Queue, asked: Mapping[str, Any]) -> NewMessage:
    """The message that a request asks to keep. Raises SqsError."""
    body = asked.get("MessageBody")
    if not body:
        raise missing("MessageBody")
    attributes = checked_attributes(asked.get("MessageAttributes") or {})
    if FORBIDDEN.search(body):
        raise SqsError("InvalidMessageContents", "Invalid characters found in the message body.")
    if size(body, attributes) > queue.number("MaximumMessageSize"):
        raise invalid(f"Message must be shorter than {queue.number('MaximumMessageSize')} bytes.")
    delay = asked.get("DelaySeconds")
    if queue.fifo and delay:
        raise invalid(
            "Value for parameter DelaySeconds is invalid: this queue type has none per message."
        )
    seconds = queue.number("DelaySeconds") if delay is None else within("DelaySeconds", delay)
    group, known_by = _order(queue, asked, body)
    return NewMessage(body, attributes, seconds * 1000, group, known_by)


def size(body: str, attributes: Mapping[str, Mapping[str, Any]]) -> int:
    """Bytes that count against the limit: body, and names, types and values of attributes."""
    count = len(body.encode())
    for name, attribute in attributes.items():
        value = attribute.get("StringValue") or attribute.get("BinaryValue") or ""
        count += len(name) + len(attribute["DataType"]) + len(value.encode())
    return count


def checked_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Message attributes as they are kept. Raises SqsError."""
    if len(attributes) > MOST_ATTRIBUTES:
        raise invalid(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [10]."
        )
    for name, attribute in attributes.items():
        kind = str(attribute.get("DataType") or "")
        field = "BinaryValue" if kind.startswith("Binary") else "StringValue"
        if not ATTRIBUTE_NAME.match(name) or name.lower().startswith(("aws.", "amazon.")):
            raise invalid(f"The message attribute name {name!r} is not valid.")
        if not ATTRIBUTE_TYPE.match(kind):
            raise invalid(f"The message attribute {name!r} has an invalid message attribute type.")
        if not attribute.get(field):
            raise invalid(f"The message attribute {name!r} must contain a non-empty value.")
    return {name: dict(attribute) for name, attribute in attributes.items()}


def _order(queue: Queue, asked: Mapping[str, Any], body: str) -> tuple[str | None, str | None]:
    group, known_by = asked.get("MessageGroupId"), asked.get("MessageDeduplicationId")
    for name, value in (("MessageGroupId", group), ("MessageDeduplicationId", known_by)):
        if value is not None and not GROUP.match(value):
            raise invalid(f"Value for parameter {name} is invalid.")
    if not queue.fifo:
        return group, None
    if group is None:
        raise missing("MessageGroupId")
    if known_by is None and not queue.by_content:
        raise invalid(
            "The queue should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly"
        )
    return group, known_by or hashlib.sha256(body.encode()).hexdigest()
