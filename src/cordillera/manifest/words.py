"""A key of the manifest in words: its type, unit, range and default."""

import types
import typing
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from cordillera.components.base import Section
from cordillera.core import units
from cordillera.manifest import tree

UNITS = {
    units.seconds: "span (500ms, 30s, 5m, 4h, 10d)",
    units.size: "size (64K, 512M, 1G)",
    units.rate: "rate (10/s, 600/m)",
    units.percent: "share (60%)",
}
PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false"}
SIGNS = ((Ge, "ge", "at least"), (Gt, "gt", "above"), (Le, "le", "at most"), (Lt, "lt", "below"))


def kind(field: FieldInfo) -> str:
    """The type of a field, as people say it."""
    return " or ".join(dict.fromkeys(_kinds(field.annotation, field.metadata)))


def limits(field: FieldInfo) -> str:
    """The range of a number, or empty."""
    found, unit = [], _unit(field.metadata)
    for one in field.metadata:
        for sign, attribute, word in SIGNS:
            if isinstance(one, sign):
                found.append(f"{word} {written(getattr(one, attribute), unit)}")
    return ", ".join(found)


def default(field: FieldInfo) -> str:
    """What counts when the key is left out; `required` when it must be there."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Section):
        return "see its keys"
    if value in (None, "", [], {}):
        return "none"
    return written(value, _unit(field.metadata) or _unit(_inner_metadata(field.annotation)))


def written(value: object, unit: object = None) -> str:
    """A default as one would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value == 0:
        return "0"
    if isinstance(value, int | float) and unit is units.seconds:
        return _largest(value, {"d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001})
    if isinstance(value, int | float) and unit is units.size:
        return _largest(value, {"G": 2**30, "M": 2**20, "K": 2**10, "": 1})
    return f"{value:g}" if isinstance(value, float) else str(value)


def keys(section: type[Section]) -> Iterator[tuple[str, FieldInfo]]:
    """Keys of a section as they are written."""
    return tree.keys_of(section)


def _largest(value: float, sizes: dict[str, float]) -> str:
    letters = (k for k, size in sizes.items() if value >= size and (value / size).is_integer())
    letter = next(letters, "")
    return f"{value / sizes.get(letter, 1):g}{letter}"


def _kinds(annotation: Any, metadata: Iterable[object] = ()) -> Iterator[str]:
    unit = _unit(metadata)
    origin = get_origin(annotation)
    if unit:
        yield UNITS[unit]
    elif origin is Annotated:
        yield from _kinds(get_args(annotation)[0], get_args(annotation)[1:])
    elif origin in (typing.Union, types.UnionType):
        for one in get_args(annotation):
            if one is not type(None):
                yield from _kinds(one)
    elif origin is Literal:
        yield " or ".join(f"`{value}`" for value in get_args(annotation))
    elif origin is list:
        yield f"list of {' or '.join(dict.fromkeys(_kinds(get_args(annotation)[0])))}"
    elif origin is dict:
        yield f"name: {' or '.join(dict.fromkeys(_kinds(get_args(annotation)[1])))}"
    elif isinstance(annotation, type) and issubclass(annotation, Section):
        yield "section"
    else:
        yield PLAIN.get(annotation, "anything")


def _unit(metadata: Iterable[object]) -> Any:
    for one in metadata:
        if isinstance(one, BeforeValidator) and one.func in UNITS:
            return one.func
    return None


def _inner_metadata(annotation: Any) -> tuple[object, ...]:
    for one in get_args(annotation):
        if get_origin(one) is Annotated:
            return get_args(one)[1:]
    return ()
