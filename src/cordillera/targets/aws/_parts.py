"""What the parts of the target `aws` are: CloudFormation resources, each in one stack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from troposphere import AWSHelperFn, AWSObject, BaseAWSObject, Tags

from cordillera.components.protocol import Part
from cordillera.targets.aws._refs import Ref, Version

SAYS = ("Retain", "RetainExceptOnCreate", "Snapshot", "Delete")


@dataclass(frozen=True)
class Resource:
    """A resource as the template holds it: Type, Properties ...; references are not resolved yet."""

    type: str
    definition: Mapping[str, Any]

    @property
    def properties(self) -> Mapping[str, Any]:
        """Its properties, by name."""
        found: Mapping[str, Any] = self.definition.get("Properties", {})
        return found


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

    @property
    def resource(self) -> dict[str, Any]:
        """As the template holds it."""
        return {"Type": self.resource_type, "Properties": dict(self.properties), **self.more}


def part(
    component: str, unit: str, resource: AWSObject | Plain, *, holds_data: bool = False
) -> AwsPart:
    """A part out of a troposphere resource; its name is the logical id.

    What holds data must say what becomes of it: DeletionPolicy and UpdateReplacePolicy. "Delete" says that
    it can be made again, and that a person was asked.
    """
    definition = held(resource.resource if isinstance(resource, Plain) else resource)
    return part_of(component, unit, str(resource.title), definition, holds_data=holds_data)


def part_of(
    component: str, unit: str, name: str, definition: Mapping[str, Any], *, holds_data: bool = False
) -> AwsPart:
    """A part out of what stands in a template, references not resolved yet."""
    if holds_data and definition.get("DeletionPolicy") not in SAYS:
        raise ValueError(f"{name} holds data and has no DeletionPolicy")
    body = Resource(str(definition["Type"]), definition)
    return Part(component, name, unit, body, holds_data=holds_data)


def ref(made: AwsPart, attribute: str = "") -> Ref:
    """A reference to a part."""
    return Ref(made.unit, made.name, attribute)


def held(value: Any) -> Any:
    """As a template holds it: mappings, lists, values and references. Raises ValueError for what lacks
    a property. (troposphere's own encoder walks each property once for every level above it.)"""
    if isinstance(value, str | Ref | Version):
        return value
    if isinstance(value, dict):
        return {key: held(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [held(inner) for inner in value]
    if isinstance(value, BaseAWSObject):
        return held(_checked(value))
    if isinstance(value, AWSHelperFn):
        return held(value.tags if isinstance(value, Tags) else value.data)
    return value


def _checked(one: Any) -> dict[str, Any]:
    lacking = [name for name, (_, must) in one.props.items() if must and name not in one.properties]
    if lacking:
        raise ValueError(f"{type(one).__name__} {one.title or ''} lacks {', '.join(lacking)}")
    one.validate()
    made: dict[str, Any] = one.resource
    return made if one.properties else {k: v for k, v in made.items() if k != "Properties"}
