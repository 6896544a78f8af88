"""Walking the model by keys: which section, which field stands at `services.web.health`."""

import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from pydantic.fields import FieldInfo

from cordillera.components.base import Section
from cordillera.manifest.model import Manifest

ANY = "*"


@dataclass(frozen=True)
class Spot:
    """What stands at a path: the field, and what its value may be."""

    path: tuple[str, ...]
    field: FieldInfo | None
    kinds: tuple[Any, ...]
    inside: type[Section] | None = None
    """The section that the field belongs to."""

    @property
    def sections(self) -> list[type[Section]]:
        """The sections that may stand here."""
        return [k for k in self.kinds if isinstance(k, type) and issubclass(k, Section)]


def root() -> Spot:
    """The manifest itself."""
    return Spot((), None, (Manifest,))


def step(spot: Spot, key: str | int) -> Spot | None:
    """What stands below; None where nothing can."""
    for section in spot.sections:
        for name, field in keys_of(section):
            if name == str(key):
                return Spot((*spot.path, name), field, tuple(_unwrap(field.annotation)), section)
    for kind in spot.kinds:
        if get_origin(kind) is dict or (get_origin(kind) is list and isinstance(key, int)):
            return Spot((*spot.path, str(key)), None, tuple(_unwrap(get_args(kind)[-1])))
    return None


def walk(keys: Sequence[str | int]) -> Spot | None:
    """What stands at a path of keys; tags of unions among them are skipped."""
    spot = root()
    for key in keys:
        below = step(spot, key)
        if below is None and key in {tag for s in spot.sections for tag in tags(s)}:
            continue
        if below is None:
            return None
        spot = below
    return spot


def keys_of(section: type[Section]) -> Iterator[tuple[str, FieldInfo]]:
    """Keys as they are written, with their fields."""
    return ((field.alias or name, field) for name, field in section.model_fields.items())


def tags(section: type[Section]) -> tuple[str, ...]:
    """The values of `type` that choose this section."""
    field = section.model_fields.get("type")
    return tuple(map(str, get_args(field.annotation))) if field else ()


def _unwrap(annotation: Any) -> Iterator[Any]:
    """The plain kinds behind Annotated, Optional and unions."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _unwrap(get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for member in get_args(annotation):
            yield from _unwrap(member)
    elif annotation is not type(None):
        yield annotation
