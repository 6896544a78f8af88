"""The resources of an environment as rows that price and limits are worked out from. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cordillera.targets.aws import _differences
from cordillera.targets.aws._stack import Template


@dataclass(frozen=True)
class Row:
    """One resource: where it is, whose it is, what it is."""

    unit: str
    region: str
    component: str
    id: str
    type: str
    properties: Mapping[str, Any]
    around: Mapping[str, Template]

    def get(self, name: str, default: Any = None) -> Any:
        """A property."""
        return self.properties.get(name, default)

    def number(self, name: str, default: float) -> float:
        """A property that is a number; `default` when it is worked out later."""
        try:
            return float(self.properties.get(name, default))
        except (TypeError, ValueError):
            return default

    def find(self, value: Any) -> "Row | None":
        """The resource that a property refers to, in this stack or in another."""
        if not isinstance(value, dict):
            return None
        name = value.get("Ref") or (value.get("Fn::GetAtt") or [""])[0]
        template = self.around.get(self.unit)
        ref = template.parameters.get(name) if template else None
        unit, id = (ref.unit, ref.id) if ref else (self.unit, name)
        return next((row for row in _stack(unit, self.around) if row.id == id), None)

    def twin(self, unit: str) -> "Row | None":
        """What has the same name and type in another stack."""
        found = (row for row in _stack(unit, self.around) if row.id == self.id)
        return next((row for row in found if row.type == self.type), None)

    def count(self, unit: str, kind: str) -> float:
        """How many of a type another stack has."""
        return float(sum(1 for row in _stack(unit, self.around) if row.type == kind))

    def siblings(self) -> "Iterator[Row]":
        """All resources of the same stack."""
        return _stack(self.unit, self.around)


def rows(templates: Mapping[str, Template]) -> Iterator[Row]:
    """Every resource of an environment."""
    for unit in templates:
        yield from _stack(unit, templates)


def _stack(unit: str, templates: Mapping[str, Template]) -> Iterator[Row]:
    template = templates.get(unit)
    if template is None:
        return
    for id, made in template.body["Resources"].items():
        component = _differences.component_of(id, template.body)
        properties = made.get("Properties", {})
        yield Row(unit, template.region, component, id, str(made["Type"]), properties, templates)
