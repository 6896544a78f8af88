"""What a change set of CloudFormation says, as changes of a plan. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from cordillera.components.protocol import Change, Effect
from cordillera.targets.aws._differences import Template, component_of, deleted

SCOPES = ("Properties", "Tags", "Metadata", "DeletionPolicy", "UpdateReplacePolicy")


def changes(
    found: Iterable[Mapping[str, Any]], old: Template, new: Template, data: Mapping[str, bool]
) -> list[Change]:
    """Every resource that the change set touches. A conditional replacement counts as one."""
    return [_one(each, old, new, data) for each in found]


def _one(
    found: Mapping[str, Any], old: Template, new: Template, data: Mapping[str, bool]
) -> Change:
    id, kind = str(found["LogicalResourceId"]), str(found["ResourceType"]).removeprefix("AWS::")
    if found["Action"] == "Remove":
        return deleted(id, old["Resources"].get(id, {}), old)
    component, holds = component_of(id, new), data.get(id, False)
    if found["Action"] == "Add":
        return Change(component, id, Effect.CREATE, holds, certain=True, why=kind)
    replacement = found.get("Replacement", "False")
    effect = Effect.UPDATE if replacement == "False" else Effect.REPLACE
    why = f"{kind}: {', '.join(_what(found)) or 'settings'} changed"
    return Change(component, id, effect, holds, certain=replacement != "Conditional", why=why)


def _what(found: Mapping[str, Any]) -> list[str]:
    targets = [detail.get("Target", {}) for detail in found.get("Details", ())]
    return list(dict.fromkeys(t.get("Name") or t.get("Attribute", "") for t in targets))
