"""What a new template would do to what an older one made. Pure: nobody is asked."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from cordillera.components.protocol import Change, Effect

Template = Mapping[str, Any]


@cache
def create_only() -> Mapping[str, frozenset[str]]:
    """Type -> the top-level properties that cannot change without a replacement.

    Out of CloudFormation's own schemas; `tests/targets/aws/create_only.py` writes the table.
    """
    text = (resources.files("cordillera.targets.aws") / "create_only.json").read_text()
    return {kind: frozenset(names) for kind, names in json.loads(text).items()}


def changes(old: Template | None, new: Template, data: Mapping[str, bool]) -> list[Change]:
    """Every difference. `data` tells which logical ids hold data; what is unknown is not certain."""
    before = dict(old["Resources"]) if old else {}
    found = [
        change
        for id, made in new["Resources"].items()
        if (change := _one(id, before.get(id), made, new, data.get(id, False))) is not None
    ]
    gone = [id for id in before if id not in new["Resources"]]
    return found + [deleted(id, before[id], old or {}) for id in gone]


def deleted(id: str, was: Mapping[str, Any], template: Template) -> Change:
    """A resource that is no longer wanted."""
    kept = was.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
    why = "no longer in the manifest" + ("; it is kept outside the stack" if kept else "")
    holds = was.get("DeletionPolicy", "Delete") != "Delete"
    return Change(component_of(id, template), id, Effect.DELETE, holds, certain=True, why=why)


def component_of(id: str, template: Template) -> str:
    """The component that a resource belongs to, as its template tells."""
    return str(template.get("Metadata", {}).get("Components", {}).get(id, "stack"))


def _one(
    id: str, was: Mapping[str, Any] | None, made: Mapping[str, Any], new: Template, holds: bool
) -> Change | None:
    component = component_of(id, new)
    kind = str(made["Type"]).removeprefix("AWS::")
    if was is None:
        return Change(component, id, Effect.CREATE, holds, certain=True, why=kind)
    if was == made:
        return None
    changed = list(_changed(was, made))
    if was.get("Type") != made["Type"]:
        return Change(component, id, Effect.REPLACE, holds, certain=True, why=f"now a {kind}")
    fixed = [name for name in changed if name in create_only().get(made["Type"], ())]
    effect = Effect.REPLACE if fixed else Effect.UPDATE
    why = f"{kind}: {', '.join(fixed or changed)} changed"
    certain = not _refers_elsewhere(made, fixed or changed)
    return Change(component, id, effect, holds, certain=certain, why=why)


def _changed(was: Mapping[str, Any], made: Mapping[str, Any]) -> Iterator[str]:
    old, new = was.get("Properties", {}), made.get("Properties", {})
    yield from sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    yield from (
        key
        for key in ("DeletionPolicy", "UpdateReplacePolicy", "DependsOn")
        if was.get(key) != made.get(key)
    )


def _refers_elsewhere(made: Mapping[str, Any], names: list[str]) -> bool:
    """Whether a changed property holds a reference, whose value only applying tells."""
    text = json.dumps([made.get("Properties", {}).get(name) for name in names])
    return '"Ref"' in text or '"Fn::GetAtt"' in text
