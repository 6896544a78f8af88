"""`cordillera explain KEY`: what a key means, out of the docstrings."""

import inspect
import textwrap

from cordillera.components.base import Section
from cordillera.core.errors import ManifestError
from cordillera.manifest import problems, tree, words
from cordillera.manifest.meanings import meanings

WIDTH = 78


def explain(key: str) -> str:
    """A key's meaning, type, default and the keys below it. Raises ManifestError for an unknown one."""
    keys = [piece for piece in key.split(".") if piece]
    spot = _found(keys)
    lines = [key or "cordillera.yaml", ""]
    if spot.field is not None and spot.inside is not None:
        lines += [*_wrapped(meanings(spot.inside)[spot.path[-1]]), "", *_facts(spot)]
    for section in spot.sections:
        lines += _section(section, many=len(spot.sections) > 1, known=bool(spot.field))
    return "\n".join(lines).rstrip()


def _found(keys: list[str]) -> tree.Spot:
    spot = tree.root()
    for index, piece in enumerate(keys):
        below = tree.step(spot, piece)
        if below is None:
            known = [name for s in spot.sections for name, _ in tree.keys_of(s)]
            inside = ".".join(keys[:index])
            raise ManifestError(
                f"there is no key {piece}{f' in {inside}' if inside else ''}",
                hint=problems.did_you_mean(piece, known)
                or (f"one of: {', '.join(known)}" if known else f"{inside} has no keys"),
            )
        spot = below
    return spot


def _facts(spot: tree.Spot) -> list[str]:
    assert spot.field is not None
    facts = {
        "type": words.kind(spot.field),
        "default": words.default(spot.field),
        "limits": words.limits(spot.field),
    }
    return [f"  {name:<8} {text}" for name, text in facts.items() if text] + [""]


def _section(section: type[Section], *, many: bool, known: bool) -> list[str]:
    said = inspect.cleandoc(section.__doc__ or "").split("\n\n")[0]
    tags = tree.tags(section)
    lines = [f"type: {tags[0]}"] if many and tags else []
    lines += _wrapped(said) if many or not known else []
    told = meanings(section)
    width = max(len(name) for name in told)
    for name, text in told.items():
        first, *rest = _wrapped(text, WIDTH - width - 4) or [""]
        lines.append(f"  {name:<{width}}  {first}")
        lines += [f"  {'':<{width}}  {line}" for line in rest]
    return [*lines, ""]


def _wrapped(text: str, width: int = WIDTH) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), width)
