"""MD5s as SDKs check them: of bodies, and of message attributes in their own binary form.

The form of attributes is the one that the SQS developer guide gives: sorted by name; length and text
of name and type, a byte for the kind of value, length and value; lengths are four bytes, big end first.
"""

import base64
import hashlib
import struct
from collections.abc import Mapping
from typing import Any

TEXT, BINARY = b"\x01", b"\x02"


def of_body(body: str) -> str:
    """The MD5 of a message's body."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def of_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> str:
    """The MD5 of message attributes; empty when there are none."""
    if not attributes:
        return ""
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        digest.update(_sized(name.encode()) + _sized(attribute["DataType"].encode()))
        if attribute["DataType"].startswith("Binary"):
            digest.update(BINARY + _sized(base64.b64decode(attribute["BinaryValue"])))
        else:
            digest.update(TEXT + _sized(attribute["StringValue"].encode()))
    return digest.hexdigest()


def _sized(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value
