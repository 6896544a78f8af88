"""The ways in which an attack hides what it is; each gives bytes that every place may carry."""

import base64
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

OVERLONG = {
    "/": "%c0%af",
    ".": "%c0%ae",
    "<": "%c0%bc",
    "'": "%c0%a7",
    "\\": "%c1%9c",
    ">": "%c0%be",
}
SPECIAL = re.compile(r"[^A-Za-z0-9]")


def _case(text: str) -> str:
    return "".join(c.upper() if i % 2 else c.lower() for i, c in enumerate(text))


def _each(template: str) -> Callable[[str], str]:
    return lambda text: SPECIAL.sub(lambda m: template.format(ord(m[0])), text)


def _wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c in "<>'\"()/;|=" else c for c in text)


def _percent_all(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def _overlong(text: str) -> str:
    return "".join(OVERLONG.get(c, c) for c in text)


HIDDEN: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "case": _case,
    "comments": lambda text: text.replace(" ", "/**/"),
    "tabs": lambda text: text.replace(" ", "\t"),
    "lines": lambda text: text.replace(" ", "\n"),
    "percent": quote_plus,
    "twice": lambda text: quote(quote(text, safe=""), safe=""),
    "all": _percent_all,
    "%u": _each("%u{:04x}"),
    "overlong": _overlong,
    "entities": _each("&#x{:x};"),
    "decimal entities": _each("&#{:d};"),
    "null first": lambda text: "\0" + text,
    "null last": lambda text: text + "\0",
    "wide": _wide,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "slashes": lambda text: text.replace("'", "\\'").replace('"', '\\"'),
    "js": _each("\\u{:04x}"),
    "after much": lambda text: "lorem ipsum dolor sit amet " * 150 + text,
    "before much": lambda text: text + " lorem ipsum dolor sit amet" * 150,
}
"""Name -> what an attack's text becomes."""
