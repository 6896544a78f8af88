"""What pydantic found wrong, in sentences that a user can act on."""

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cordillera.components.resources import TYPES
from cordillera.core.errors import ManifestError
from cordillera.manifest import tree

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
KINDS = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
}
PATTERNS = {
    r"^[a-z][a-z0-9-]{0,30}$": "a name of lower-case letters, digits and dashes, beginning with a letter",
    r"^[a-z][a-z0-9-]{0,30}/[a-z][a-z0-9-]{0,30}$": "an environment's name, such as acme/production",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "the name of a variable, such as SECRET_KEY",
    r"^/": "a path that begins with /",
    r"^[^/].*/$": "a prefix that ends with /, such as media/",
    r"^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+$": "a domain, such as news.example.com",
}


class ManifestErrors(ManifestError):
    """All that is wrong with a manifest, the first of it as this error's own text."""

    def __init__(self, found: Sequence[ManifestError]) -> None:
        first = found[0]
        super().__init__(str(first), hint=first.hint, where=first.where)
        self.all = tuple(found)


def sentence(detail: "ErrorDetails") -> tuple[str, str]:
    """(what is wrong, what to do) for one finding."""
    keys, kind, given = detail["loc"], detail["type"], detail["input"]
    name = dotted(keys)
    context: dict[str, Any] = detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(keys)
    if kind == "missing":
        return f"{name} is missing", f"cordillera explain {name}"
    if kind.startswith("union_tag"):
        return _type_of_resource(name, given)
    if kind in BOUNDS:
        word, bound = BOUNDS[kind]
        return f"{name} must be {word} {context[bound]:g}, and is {_given(given)}", ""
    if kind in KINDS:
        return f"{name} must be {KINDS[kind]}, and is {_given(given)}", f"cordillera explain {name}"
    if kind == "string_pattern_mismatch":
        expected = PATTERNS.get(context["pattern"], f"of the form {context['pattern']}")
        return f"{name}: {_given(given)} is not {expected}", ""
    if kind == "literal_error":
        return _literal(name, given, context["expected"])
    if kind == "too_short":
        return f"{name} needs at least {context['min_length']}", f"cordillera explain {name}"
    return f"{name}: {detail['msg'].removeprefix('Value error, ')}", ""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A hint with the nearest known word, else with all of them."""
    names = sorted(set(known))
    near = difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"one of: {', '.join(names)}" if names else ""


def dotted(keys: Sequence[str | int]) -> str:
    """A path as people write it; union tags and pydantic's own marks are left out."""
    shown: list[str] = []
    spot: tree.Spot | None = tree.root()
    for key in keys:
        below = tree.step(spot, key) if spot else None
        if key == "[key]" or (below is None and spot and _is_tag(spot, key)):
            continue
        shown.append(str(key))
        spot = below
    return ".".join(shown)


def _is_tag(spot: tree.Spot, key: str | int) -> bool:
    return any(key in tree.tags(section) for section in spot.sections)


def _unknown(keys: Sequence[str | int]) -> tuple[str, str]:
    around = tree.walk(keys[:-1])
    sections = around.sections if around else []
    chosen = [s for s in sections if any(tag in keys for tag in tree.tags(s))] or sections
    known = [name for section in chosen for name, _ in tree.keys_of(section)]
    inside = dotted(keys[:-1])
    return f"unknown key {keys[-1]}{f' in {inside}' if inside else ''}", did_you_mean(
        str(keys[-1]), known
    )


def _type_of_resource(name: str, given: object) -> tuple[str, str]:
    kind = given.get("type") if isinstance(given, dict) else None
    if kind is None:
        return f"{name} has no type", f"one of: {', '.join(TYPES)}"
    return f"{name}: there is no resource of type {kind}", did_you_mean(str(kind), TYPES)


def _literal(name: str, given: object, expected: str) -> tuple[str, str]:
    words = expected.replace("'", "").replace(" or ", ", ")
    return f"{name}: {_given(given)} is not possible", f"one of: {words}"


def _given(value: object) -> str:
    text = "empty" if value is None else repr(value)
    return text if len(text) < 60 else f"{text[:57]}..."
