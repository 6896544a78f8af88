"""Parts become one template per stack: always the same text for the same parts."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cordillera.core.errors import CordilleraError
from cordillera.targets.aws import _switches
from cordillera.targets.aws._parts import AwsPart
from cordillera.targets.aws._refs import Ref, Version, camel
from cordillera.targets.aws._site import ACCOUNT, ACCOUNT_STANDBY, UNITS, Site

RESOURCES_MAX, OUTPUTS_MAX, PARAMETERS_MAX, BYTES_MAX = 500, 200, 200, 1_000_000
"""CloudFormation's own limits for a template that it reads from a bucket."""


@dataclass(frozen=True)
class Template:
    """One stack's template. `parameters` are what it needs to know of other stacks, `switches` and
    `versions` (of secrets) what it needs to know of the account."""

    unit: str
    name: str
    region: str
    body: Mapping[str, Any]
    parameters: Mapping[str, Ref] = field(default_factory=dict)
    switches: tuple[str, ...] = ()
    versions: Mapping[str, Version] = field(default_factory=dict)

    @cached_property
    def text(self) -> str:
        """As it is uploaded. Without line breaks that takes a twentieth of the time."""
        return json.dumps(self.body, sort_keys=True) + "\n"

    @property
    def readable(self) -> str:
        """The same for people."""
        return json.dumps(self.body, indent=1, sort_keys=True) + "\n"

    @cached_property
    def digest(self) -> str:
        """Changes with anything in it."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    @property
    def needs(self) -> frozenset[str]:
        """The units it refers to."""
        return frozenset(ref.unit for ref in self.parameters.values())


def templates(parts: Iterable[AwsPart], site: Site) -> dict[str, Template]:
    """Unit -> template, in the units' plain order. Raises CordilleraError when two parts are one resource."""
    units: dict[str, list[AwsPart]] = {}
    for part in parts:
        units.setdefault(part.unit, []).append(part)
    made = {unit: _Draft(unit, site, units[unit]) for unit in UNITS if unit in units}
    for draft in made.values():
        for ref in draft.parameters.values():
            _owner(made, ref).tell(ref)
    return {unit: draft.finished() for unit, draft in made.items()}


def waves(made: Mapping[str, Template]) -> tuple[tuple[str, ...], ...]:
    """Units that may be worked on at once, each wave after all that it refers to."""
    left, found = dict(made), list[tuple[str, ...]]()
    while left:
        wave = tuple(unit for unit, one in left.items() if not one.needs & left.keys())
        if not wave:
            raise CordilleraError(f"stacks refer to each other in a circle: {', '.join(left)}")
        found.append(wave)
        left = {unit: one for unit, one in left.items() if unit not in wave}
    return tuple(found)


def parameter(ref: Ref) -> str:
    """The name under which another stack's output comes in."""
    return camel(ref.unit) + ref.output


class _Draft:
    """A template while its references are being resolved."""

    def __init__(self, unit: str, site: Site, parts: list[AwsPart]) -> None:
        self.unit, self.site = unit, site
        self.parameters: dict[str, Ref] = {}
        self.versions: dict[str, Version] = {}
        self.outputs: dict[str, Any] = {}
        self.components = {part.name: part.component for part in parts}
        self.resources = {part.name: self._resolved(part.body.definition) for part in parts}
        if len(self.resources) < len(parts):
            names = [part.name for part in parts]
            twice = sorted({name for name in names if names.count(name) > 1})
            raise CordilleraError(
                f"{unit}: {', '.join(twice)} would be made twice",
                hint="rename one of the services or resources whose names differ in dashes only",
            )

    def tell(self, ref: Ref) -> None:
        """Tell other stacks about one of these resources."""
        self.outputs[ref.output] = {"Value": _local(ref)}

    def finished(self) -> Template:
        body: dict[str, Any] = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": f"Cordillera: {self._what()}",
            "Metadata": {"Components": self.components},
            "Resources": self.resources,
        }
        switches = _switches.used(self.resources)
        asked, conditions = _switches.sections(switches)
        needed = {name: {"Type": "String"} for name in self.parameters}
        versions = {name: _declared(one) for name, one in self.versions.items()}
        if parameters := {**needed, **versions, **asked}:
            body["Parameters"] = parameters
        if conditions:
            body["Conditions"] = conditions
        if self.outputs:
            body["Outputs"] = self.outputs
        name, region = self.site.stack_name(self.unit), self.site.region_of(self.unit)
        known, secrets = dict(sorted(self.parameters.items())), dict(sorted(self.versions.items()))
        return Template(self.unit, name, region, body, known, tuple(switches), secrets)

    def _what(self) -> str:
        """The account's stacks are the same for all of its environments."""
        if self.unit in (ACCOUNT, ACCOUNT_STANDBY):
            return "what the environments of an account share"
        return f"{self.unit} of {self.site.environment}"

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, str):
            return value
        if isinstance(value, Ref):
            return self._reference(value)
        if isinstance(value, Version):
            return self._version(value)
        if isinstance(value, dict):
            return {key: self._resolved(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._resolved(inner) for inner in value]
        return value

    def _reference(self, ref: Ref) -> dict[str, Any]:
        if ref.unit == self.unit:
            return _local(ref)
        self.parameters[parameter(ref)] = ref
        return {"Ref": parameter(ref)}

    def _version(self, version: Version) -> dict[str, str]:
        known = self.versions.setdefault(version.parameter, version)
        if known != version:
            raise CordilleraError(
                f"{self.unit}: the secrets {known.of} and {version.of} have one name in a template",
                hint="rename one of the two: dashes and underlines do not tell them apart",
            )
        return {"Ref": version.parameter}


def _declared(version: Version) -> dict[str, str]:
    says = f"The version of {version.of} that is current; another one reaches what is made from it."
    return {"Type": "String", "Default": "", "Description": says}


def _local(ref: Ref) -> dict[str, Any]:
    return {"Fn::GetAtt": [ref.id, ref.attribute]} if ref.attribute else {"Ref": ref.id}


def _owner(made: Mapping[str, _Draft], ref: Ref) -> _Draft:
    if ref.unit not in made or ref.id not in made[ref.unit].resources:
        raise CordilleraError(f"nothing makes {ref.id} in the stack {ref.unit}")
    return made[ref.unit]


def refuse_beyond_limits(made: Template) -> None:
    """Raises CordilleraError for what CloudFormation would not take."""
    for section, most in (
        ("Resources", RESOURCES_MAX),
        ("Outputs", OUTPUTS_MAX),
        ("Parameters", PARAMETERS_MAX),
    ):
        count = len(made.body.get(section, ()))
        if count > most:
            raise CordilleraError(
                f"the stack {made.unit} would have {count} {section.lower()}, and {most} are possible",
                hint="split the app into two, or have fewer services and resources",
            )
    if len(made.text) > BYTES_MAX:
        raise CordilleraError(f"the stack {made.unit}'s template is larger than {BYTES_MAX} bytes")
