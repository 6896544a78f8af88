"""What the parts of the target `aws` are: CloudFormation resources, each in one stack."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from troposphere import AWSObject

from cordillera.components.protocol import Part
from cordillera.targets.aws._refs import Ref

KEEPS = ("Retain", "RetainExceptOnCreate", "Snapshot")


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


def part(component: str, unit: str, resource: AWSObject, *, holds_data: bool = False) -> AwsPart:
    """A part out of a troposphere resource; its name is the logical id.

    What holds data must say what becomes of it: DeletionPolicy and UpdateReplacePolicy.
    """
    definition = resource.to_dict()
    if holds_data and definition.get("DeletionPolicy") not in KEEPS:
        raise ValueError(f"{resource.title} holds data and has no DeletionPolicy")
    text = json.dumps(definition, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    body = Resource(str(resource.resource_type), text)
    return Part(component, str(resource.title), unit, body, digest, holds_data)


def ref(made: AwsPart, attribute: str = "") -> Ref:
    """A reference to a part."""
    return Ref(made.unit, made.name, attribute)
