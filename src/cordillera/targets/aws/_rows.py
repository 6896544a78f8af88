"""The resources of an environment as rows that price and limits are worked out from. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cordillera.targets.aws._parts import AwsPart
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import UNITS, Site


@dataclass(frozen=True)
class Row:
    """One resource: where it is, whose it is, what it is. `around` is unit -> id -> row."""

    unit: str
    region: str
    component: str
    id: str
    type: str
    properties: Mapping[str, Any]
    around: Mapping[str, Mapping[str, "Row"]]

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
        return self.around.get(value.unit, {}).get(value.id) if isinstance(value, Ref) else None

    def twin(self, unit: str) -> "Row | None":
        """What has the same name and type in another stack."""
        found = self.around.get(unit, {}).get(self.id)
        return found if found and found.type == self.type else None

    def count(self, unit: str, kind: str) -> float:
        """How many of a type another stack has."""
        return float(sum(1 for row in self.around.get(unit, {}).values() if row.type == kind))

    def siblings(self) -> "Collection[Row]":
        """All resources of the same stack."""
        return self.around.get(self.unit, {}).values()


def rows(parts: Iterable[AwsPart], site: Site) -> list[Row]:
    """Every resource of an environment, stack by stack."""
    around: dict[str, dict[str, Row]] = {unit: {} for unit in UNITS}
    for one in parts:
        unit, region, properties = one.unit, site.region_of(one.unit), one.body.properties
        around[unit][one.name] = Row(
            unit, region, one.component, one.name, one.body.type, properties, around
        )
    return [row for unit in around.values() for row in unit.values()]
