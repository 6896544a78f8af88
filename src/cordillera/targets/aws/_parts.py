"""What the parts of the target `aws` are: CloudFormation resources, each in one stack."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from troposphere import AWSObject, encode_to_dict

from cordillera.components.protocol import Part
from cordillera.targets.aws._refs import Ref

SAYS = ("Retain", "RetainExceptOnCreate", "Snapshot", "Delete")


@dataclass(frozen=True)
class Resource:
    """A resource as the template holds it, references still marked."""

    type: str
    text: str

    @property
    def definition(self) -> dict[str, Any]:
        """Type, Properties, DeletionPolicy ..."""
        made: dict[str, Any] = json.loads(self.text)
        return made


AwsPart = Part[Resource]
Parts = Sequence[AwsPart]


@dataclass(frozen=True)
class Plain:
    """A resource whose properties are plain dictionaries: for types that nest deeply. The linter's
    schemas are what checks them."""

    resource_type: str
    title: str
    properties: Mapping[str, Any]
    more: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As the template holds it."""
        made = {"Type": self.resource_type, "Properties": dict(self.properties), **self.more}
        encoded: dict[str, Any] = encode_to_dict(made)
        return encoded


def part(
    component: str, unit: str, resource: AWSObject | Plain, *, holds_data: bool = False
) -> AwsPart:
    """A part out of a troposphere resource; its name is the logical id.

    What holds data must say what becomes of it: DeletionPolicy and UpdateReplacePolicy. "Delete" says that
    it can be made again, and that a person was asked.
    """
    return part_of(component, unit, str(resource.title), resource.to_dict(), holds_data=holds_data)


def part_of(
    component: str, unit: str, name: str, definition: Mapping[str, Any], *, holds_data: bool = False
) -> AwsPart:
    """A part out of what stands in a template, references still marked."""
    if holds_data and definition.get("DeletionPolicy") not in SAYS:
        raise ValueError(f"{name} holds data and has no DeletionPolicy")
    text = json.dumps(definition, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Part(component, name, unit, Resource(str(definition["Type"]), text), digest, holds_data)


def ref(made: AwsPart, attribute: str = "") -> Ref:
    """A reference to a part."""
    return Ref(made.unit, made.name, attribute)
