"""Typed references between parts, and names that CloudFormation accepts.

No CloudFormation exports: those cannot change while somebody imports them. A reference within a stack
becomes Ref or GetAtt; one into another stack becomes a parameter whose value the engine fills in.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from troposphere import Join

if TYPE_CHECKING:

    class Function:
        """What troposphere's functions are, for types: it has none of its own."""

        def to_dict(self) -> Any: ...

else:
    from troposphere import AWSHelperFn as Function

WORDS = re.compile(r"[^A-Za-z0-9]+")

Text = str | Function
"""Text of a template: plain, or a function that CloudFormation works out."""


@dataclass(frozen=True)
class Ref(Function):
    """The resource `id` of the stack `unit`, or one attribute of it. May stand wherever text may."""

    unit: str
    id: str
    attribute: str = ""

    @property
    def output(self) -> str:
        """The name of the output that tells it to other stacks."""
        return self.id + WORDS.sub("", self.attribute)

    def get(self, attribute: str) -> "Ref":
        """An attribute of the same resource."""
        return Ref(self.unit, self.id, attribute)


@dataclass(frozen=True)
class Version(Function):
    """Which version of a secret is current: a parameter of the template, asked of the account.

    `of` is what people call the secret, `place` its name or the resource that it is.
    """

    of: str
    place: str | Ref

    @property
    def parameter(self) -> str:
        """The name of the parameter."""
        return camel(self.of.lower(), "version")


@dataclass(frozen=True)
class Secret:
    """A secret's value, handed to a task when it starts; `key` picks a field of a JSON secret.

    `name` is as the manifest writes it: API_TOKEN, or resources.db.password.
    """

    name: str
    arn: Text
    key: str = ""

    @property
    def place(self) -> str | Ref:
        """Its name, or the resource that it is."""
        if isinstance(self.arn, Ref | str):
            return self.arn
        return str(self.arn.to_dict()["Fn::Sub"]).split(":secret:")[-1]

    @property
    def version(self) -> Version:
        """Which version of it is current."""
        return Version(self.name, self.place)


@dataclass(frozen=True)
class Mixed:
    """Text in which secrets occur, such as an URL with a password."""

    pieces: tuple["Text | Secret", ...]


Value = Text | Secret | Mixed
"""What a variable of a service may be."""


def within(value: Any) -> Iterator[Ref]:
    """Every reference in what a template holds."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from within(inner)


def joined(*pieces: Value) -> Value:
    """Pieces one after the other, as plain as can be."""
    flat: list[Text | Secret] = []
    for piece in pieces:
        flat += piece.pieces if isinstance(piece, Mixed) else [piece]
    flat = [piece for piece in flat if piece != ""]
    if len(flat) == 1:
        return flat[0]
    if any(isinstance(piece, Secret) for piece in flat):
        return Mixed(tuple(flat))
    if all(isinstance(piece, str) for piece in flat):
        return "".join(map(str, flat))
    made: Text = _join(flat)
    return made


def text(*pieces: Text) -> Any:
    """Pieces of a template's text one after the other."""
    return _join(list(pieces))


def _join(pieces: list[Any]) -> Any:
    return Join("", pieces)


def camel(*words: str) -> str:
    """A logical id: `camel("web-api", "service")` is WebApiService."""
    parts = [part for word in words for part in WORDS.split(word) if part]
    return "".join(part[0].upper() + part[1:] for part in parts)
