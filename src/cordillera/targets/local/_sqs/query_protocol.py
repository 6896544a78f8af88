"""The older protocol of SQS: form fields in, XML out. For clients from before 2024."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from cordillera.targets.local._sqs.errors import SqsError

NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"
LISTS = {
    "AttributeName": "AttributeNames",
    "MessageAttributeName": "MessageAttributeNames",
    "MessageSystemAttributeName": "MessageSystemAttributeNames",
}
ENTRY = re.compile(r"^\w+BatchRequestEntry$")
NAMES = {
    "QueueUrls": "QueueUrl",
    "Messages": "Message",
    "Attributes": "Attribute",
    "MessageAttributes": "MessageAttribute",
    "Failed": "BatchResultErrorEntry",
    "queueUrls": "QueueUrl",
}


def read(body: bytes) -> tuple[str, dict[str, Any]]:
    """The verb and its fields, in the shape of the JSON protocol."""
    tree: dict[str, Any] = {}
    for key, value in parse_qsl(body.decode(), keep_blank_values=True):
        _put(tree, key.split("."), value)
    action = str(tree.pop("Action", ""))
    tree.pop("Version", None)
    return action, _fields(tree)


def write(action: str, answer: Mapping[str, Any], request_id: str) -> str:
    """The XML of an answer."""
    inner = "".join(_xml(answer, f"{action}ResultEntry"))
    return (
        f'<?xml version="1.0"?><{action}Response xmlns="{NAMESPACE}"><{action}Result>{inner}</{action}Result>'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    )


def write_error(error: SqsError, request_id: str) -> str:
    """The XML of a refusal."""
    kind = "Receiver" if error.status >= 500 else "Sender"
    return (
        f'<?xml version="1.0"?><ErrorResponse xmlns="{NAMESPACE}"><Error><Type>{kind}</Type>'
        f"<Code>{escape(error.query_code)}</Code><Message>{escape(str(error))}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _put(tree: dict[str, Any], keys: list[str], value: str) -> None:
    for key in keys[:-1]:
        tree = tree.setdefault(key, {})
    tree[keys[-1]] = value


def _numbered(value: Any) -> list[Any]:
    """`{"1": a, "2": b}` as `[a, b]`; a lone value as a list of it."""
    if not isinstance(value, dict):
        return [value]
    return [value[key] for key in sorted(value, key=int)]


def _fields(tree: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if key in LISTS:
            found[LISTS[key]] = _numbered(value)
        elif key == "Attribute":
            found["Attributes"] = {one["Name"]: one["Value"] for one in _numbered(value)}
        elif key == "MessageAttribute":
            found["MessageAttributes"] = {one["Name"]: one["Value"] for one in _numbered(value)}
        elif ENTRY.match(key):
            found["Entries"] = [_fields(one) for one in _numbered(value)]
        else:
            found[key] = value
    return found


def _xml(answer: Mapping[str, Any], entry: str) -> Iterator[str]:
    for key, value in answer.items():
        name = NAMES.get(key, entry if key == "Successful" else key)
        if key in ("Attributes", "MessageAttributes"):
            for inner, text in value.items():
                shown = "".join(_xml(text, entry)) if isinstance(text, dict) else escape(str(text))
                yield f"<{name}><Name>{escape(inner)}</Name><Value>{shown}</Value></{name}>"
        elif isinstance(value, list):
            for one in value:
                shown = "".join(_xml(one, entry)) if isinstance(one, dict) else escape(str(one))
                yield f"<{name}>{shown}</{name}>"
        else:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            yield f"<{name}>{escape(text)}</{name}>"
