"""What a new template would do to what an older one made. Pure: nobody is asked."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from cordillera.components.protocol import Change, Effect

Template = Mapping[str, Any]

RELEASES = ("AWS::ECS::TaskDefinition",)
"""Kept for another reason than data: see `_tasks`."""


@cache
def create_only() -> Mapping[str, frozenset[str]]:
    """Type -> the top-level properties that cannot change without a replacement.

    A question mark follows those of which only some changes replace.

    Out of CloudFormation's own schemas; `tests/targets/aws/create_only.py` writes the table.
    """
    text = (resources.files("cordillera.targets.aws") / "create_only.json").read_text()
    return {kind: frozenset(names) for kind, names in json.loads(text).items()}


def changes(
    old: Template | None,
    new: Template,
    data: Mapping[str, bool],
    unsettled: frozenset[str] = frozenset(),
) -> list[Change]:
    """Every difference. `data` tells which logical ids hold data.

    `unsettled` are parameters whose values will be known only when other stacks have been changed.
    """
    before = dict(old["Resources"]) if old else {}
    found = [
        change
        for id, made in new["Resources"].items()
        if (change := _one(id, before.get(id), made, new, data.get(id, False), unsettled))
        is not None
    ]
    gone = [id for id in before if id not in new["Resources"]]
    return found + [deleted(id, before[id], old or {}) for id in gone]


def deleted(id: str, was: Mapping[str, Any], template: Template) -> Change:
    """A resource that is no longer wanted."""
    kept = was.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
    why = "no longer in the manifest" + ("; it is kept outside the stack" if kept else "")
    holds = (
        was.get("Type") not in RELEASES and "DeletionPolicy" in was
    )  # only what holds data has one
    return Change(component_of(id, template), id, Effect.DELETE, holds, certain=True, why=why)


def component_of(id: str, template: Template) -> str:
    """The component that a resource belongs to, as its template tells."""
    return str(template.get("Metadata", {}).get("Components", {}).get(id, "stack"))


def _one(
    id: str,
    was: Mapping[str, Any] | None,
    made: Mapping[str, Any],
    new: Template,
    holds: bool,
    unsettled: frozenset[str],
) -> Change | None:
    component, kind = component_of(id, new), str(made["Type"]).removeprefix("AWS::")
    if was is None:
        return Change(component, id, Effect.CREATE, holds, certain=True, why=kind)
    if was["Type"] != made["Type"]:
        return Change(component, id, Effect.REPLACE, holds, certain=True, why=f"now a {kind}")
    changed = list(_changed(was, made))
    moving = [name for name in _using(unsettled, made) if name not in changed]
    if not changed and not moving:
        return None
    effect, certain = _effect(str(made["Type"]), changed, moving)
    why = f"{kind}: {', '.join([*changed, *moving])} changed"
    return Change(component, id, effect, holds, certain=certain, why=why)


def _effect(kind: str, changed: list[str], moving: list[str]) -> tuple[Effect, bool]:
    """(effect, whether that is certain)."""
    fixed = create_only().get(kind, frozenset())
    if any(name in fixed for name in changed):
        return Effect.REPLACE, True
    perhaps = [name for name in changed if f"{name}?" in fixed]
    perhaps += [name for name in moving if {name, f"{name}?"} & fixed]
    if perhaps:
        return Effect.REPLACE, False
    return Effect.UPDATE, bool(changed)


def _changed(was: Mapping[str, Any], made: Mapping[str, Any]) -> Iterator[str]:
    old, new = was.get("Properties", {}), made.get("Properties", {})
    yield from sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    yield from (
        key
        for key in ("DeletionPolicy", "UpdateReplacePolicy", "DependsOn")
        if was.get(key) != made.get(key)
    )


def uses(value: Any, parameter: str) -> bool:
    """Whether a piece of a template refers to that parameter."""
    return json.dumps({"Ref": parameter}) in json.dumps(value)


def _using(parameters: frozenset[str], made: Mapping[str, Any]) -> Iterator[str]:
    """Properties that refer to one of these parameters."""
    for name, value in sorted(made.get("Properties", {}).items()):
        if any(uses(value, parameter) for parameter in parameters):
            yield name
