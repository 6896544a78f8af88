"""What is sent: attacks from text files in places and encodings, and whole requests that are odd."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.attacks.corpus import odd, places
from tests.attacks.corpus.encodings import HIDDEN
from tests.attacks.corpus.places import PLACES

HERE = Path(__file__).parent
PICTURES = str.maketrans({"␀": "\0", "␊": "\n", "␍": "\r"})
SAMPLE = 5
ALWAYS = ("query", "form", "json")


@dataclass(frozen=True)
class Case:
    """One request. `alone`: its framing is odd, so nothing follows on its connection."""

    kind: str
    place: str
    encoding: str
    text: str
    raw: bytes
    alone: bool = False

    @property
    def rest(self) -> bool:
        """A method that applications use and the packages' rule set does not know."""
        return self.raw.split(b" ", 1)[0] in (b"PUT", b"PATCH", b"DELETE")


def attacks(sample: int = SAMPLE) -> Iterator[Case]:
    """Each attack in `sample` places and encodings, the same ones each time; 0: in all of them."""
    for path in sorted((HERE / "attacks").glob("*.txt")):
        for text in _lines(path):
            yield from (_case(path.stem, text, p, e) for p, e in _where(text, sample))
    yield from (Case(kind, "whole", "plain", name, raw, True) for kind, name, raw in odd.requests())


def benign() -> Iterator[Case]:
    """Ordinary use, from benign/*.yaml."""
    for path in sorted((HERE / "benign").glob("*.yaml")):
        for told in yaml.safe_load(path.read_text()):
            yield Case("benign", path.stem, "plain", told["what"], _ordinary(told))


def _lines(path: Path) -> list[str]:
    lines = (line.translate(PICTURES) for line in path.read_text().split("\n"))
    return [line for line in lines if line and not line.startswith("## ")]


def _where(text: str, sample: int) -> Iterator[tuple[str, str]]:
    if not sample:
        yield from itertools.product(PLACES, HIDDEN)
        return
    yield from ((place, "plain") for place in ALWAYS)
    chosen = random.Random(text)
    for _ in range(sample):
        hidden = chosen.choice(["plain", *HIDDEN]) if chosen.random() < 0.7 else "plain"
        yield chosen.choice([*PLACES]), hidden


def _case(kind: str, text: str, place: str, encoding: str) -> Case:
    return Case(kind, place, encoding, text, PLACES[place](HIDDEN[encoding](text)))


def _ordinary(told: dict[str, Any]) -> bytes:
    body = told.get("body")
    headers: dict[str, str | bytes] = {}
    if "type" in told:
        headers["Content-Type"] = told["type"]
    if body is not None and told.get("type", "").startswith("multipart/"):
        body = body.replace("\n", "\r\n")
    headers.update(told.get("headers") or {})
    method = told.get("method", "GET" if body is None else "POST")
    encoded = None if body is None else body.encode()
    return places.request(told.get("path", "/"), method=method, headers=headers, body=encoded)
