"""A plan in the making: which stacks there are, and what becomes of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cordillera.components.protocol import Change, Effect
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _differences, _stack, _switches, _versions, components
from cordillera.targets.aws._cloudformation import Stack
from cordillera.targets.aws._linked_roles import LinkedRole
from cordillera.targets.aws._parts import AwsPart
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import ACCOUNT, ACCOUNT_STANDBY, UNITS, Site
from cordillera.targets.aws._stack import Template

RETIRE = "retire/"
"""Units that delete a stack: after everything else, because nothing may refer to it any more."""
MOVES = (Effect.CREATE, Effect.REPLACE)


@dataclass
class Draft:
    """What a plan was made from; lives as long as the command."""

    want: Wanted
    site: Site
    parts: Sequence[AwsPart]
    templates: dict[str, Template]
    waves: tuple[tuple[str, ...], ...]
    found: dict[str, Stack | None] = field(default_factory=dict)
    old: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: dict[str, list[Change]] = field(default_factory=dict)
    change_sets: dict[str, str] = field(default_factory=dict)
    switches: dict[str, dict[str, str]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    linked_roles: tuple[LinkedRole, ...] = ()
    """What the account lacks of them."""

    @property
    def types(self) -> frozenset[str]:
        """Every type of resource that is wanted."""
        bodies = (template.body for template in self.templates.values())
        return frozenset(str(r["Type"]) for body in bodies for r in body["Resources"].values())

    @property
    def order(self) -> tuple[str, ...]:
        """Units, each after all that it refers to."""
        return tuple(unit for wave in self.waves for unit in wave)

    def data(self, unit: str) -> dict[str, bool]:
        """Which logical ids of a stack hold data."""
        return {part.name: part.holds_data for part in self.parts if part.unit == unit}

    @property
    def touched(self) -> tuple[tuple[str, ...], ...]:
        """The waves of what has to be done, deletions last and in reverse."""
        made = [tuple(unit for unit in wave if self.changes.get(unit)) for wave in self.waves]
        gone = [(unit,) for unit in self.changes if unit.startswith(RETIRE)]
        return tuple(wave for wave in [*made, *gone] if wave)

    def unsettled(self, unit: str) -> frozenset[str]:
        """Parameters whose values are known only when other stacks have been changed."""
        moved = {
            (owner, change.name)
            for owner, changes in self.changes.items()
            for change in changes
            if change.effect in MOVES
        }
        parameters = self.templates[unit].parameters
        return frozenset(name for name, r in parameters.items() if (r.unit, r.id) in moved)

    def moved(self, unit: str) -> frozenset[str]:
        """Parameters of secrets that have another version now than the stack was given."""
        stack, known = self.found.get(unit), self.templates[unit].versions
        given = stack.parameters if stack and unit in self.old else {}
        return frozenset(
            name for name in known if name in given and given[name] != self.versions.get(name, "")
        )

    def compare(self, unit: str) -> list[Change]:
        """What the new template would do to the old one, nobody being asked."""
        body = self.templates[unit].body
        switches = self.switches.get(unit, {})
        off = [id for id, one in body["Resources"].items() if _switches.off(one, switches)]
        moved = self.moved(unit)
        found = _differences.changes(
            self.old.get(unit), body, self.data(unit), self.unsettled(unit) | moved
        )
        told = _versions.explained(found, self.templates[unit], moved)
        return [change for change in told if change.name not in off]

    def values(self, unit: str, outputs: Mapping[str, Mapping[str, str]]) -> dict[str, str] | None:
        """The parameters' values, what was asked of the account included; None while an output is missing."""
        template = self.templates[unit]
        found = values(template, outputs)
        asked = {name: self.versions.get(name, "") for name in template.versions}
        return None if found is None else {**found, **self.switches.get(unit, {}), **asked}

    def retire(self, unit: str) -> None:
        """Note that a stack is no longer wanted."""
        old = self.old.get(unit, {"Resources": {}})
        gone = [_differences.deleted(id, was, old) for id, was in old["Resources"].items()]
        whole = Change("stack", unit, Effect.DELETE, False, certain=True, why="no longer wanted")
        self.changes[RETIRE + unit] = gone or [whole]


def draft(want: Wanted, site: Site) -> Draft:
    """The templates of what is wanted, nothing found yet. Pure. Raises CordilleraError beyond a limit."""
    parts = components.build(want, site)
    templates = _stack.templates(parts, site)
    for template in templates.values():
        _stack.refuse_beyond_limits(template)
    return Draft(want, site, parts, templates, _stack.waves(templates))


def offline(made: Draft, remembered: Mapping[str, dict[str, Any]]) -> None:
    """Fill a draft in with what was applied last from this machine."""
    made.old = dict(remembered)
    for unit in made.order:
        made.changes[unit] = made.compare(unit)
    for unit in reversed(UNITS):
        shared = unit in (ACCOUNT, ACCOUNT_STANDBY)
        if unit in remembered and unit not in made.templates and not shared:
            made.retire(unit)


def values(template: Template, outputs: Mapping[str, Mapping[str, str]]) -> dict[str, str] | None:
    """The parameters' values out of other stacks' outputs; None while one is missing."""
    found = {name: _value(ref, outputs) for name, ref in template.parameters.items()}
    known = {name: value for name, value in found.items() if value is not None}
    return known if len(known) == len(found) else None


def _value(ref: Ref, outputs: Mapping[str, Mapping[str, str]]) -> str | None:
    return outputs.get(ref.unit, {}).get(ref.output)
