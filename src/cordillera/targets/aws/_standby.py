"""The half of an environment that waits in its standby region: a copy of what costs little, at rest.

It is made out of the very parts of the environment, built once more for the other region and moved into
two stacks. The one that data is copied to comes first: network and key. The other comes after the
environment's own data, which it names: certificate, balancer, firewall, roles, task definitions, services
at no copies. Left out is what costs by the hour or would start copies; a failover makes it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from troposphere import Sub

from cordillera.targets.aws import _edge_word
from cordillera.targets.aws._parts import AwsPart, held, part_of
from cordillera.targets.aws._refs import Ref, Version, within
from cordillera.targets.aws._site import APP, FRONT, NETWORK, RELEASE, STANDBY, STANDBY_APP, Site

UNITS = {NETWORK: STANDBY, FRONT: STANDBY_APP, RELEASE: STANDBY_APP, APP: STANDBY_APP}
"""What of an environment is copied, and where to; data is not."""

SECRET, REPOSITORY = "AWS::SecretsManager::Secret", "AWS::ECR::Repository"
BUCKET = "AWS::S3::Bucket"
SERVICE = "AWS::ECS::Service"
NOT_YET = (
    SECRET,  # Secrets Manager copies them itself
    "AWS::EC2::EIP",
    "AWS::EC2::NatGateway",
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
)
"""Types that are not made, nor what refers to them in their own stack, until they are needed."""
NEEDED_LATER = ("AWS::EC2::Route", *NOT_YET)


def copied(parts: Iterable[AwsPart], site: Site) -> Iterator[AwsPart]:
    """The environment's own parts, its secrets copied to the standby region by Secrets Manager."""
    for one in parts:
        yield _with_copy(one, site) if one.body.type == SECRET else one


def waiting(here: Iterable[AwsPart], there: Iterable[AwsPart]) -> Iterator[AwsPart]:
    """`there`, the same parts built for the standby region, as parts of the stacks that wait."""
    chosen = [one for one in there if one.unit in UNITS and one.body.type not in NOT_YET]
    moving = {(one.unit, one.name) for one in chosen}
    missing = {(one.unit, one.name) for one in there if one.body.type in NOT_YET[1:]}
    types = {(one.unit, one.name): one for one in here}
    for one in chosen:
        named = within(one.body.definition) if one.body.type in NEEDED_LATER else ()
        if any((ref.unit, ref.id) in missing for ref in named):
            continue
        definition = _moved(one.body.definition, moving, types)
        if one.body.type == SERVICE:
            definition = _with(definition, DesiredCount=0)
        yield part_of(
            one.component, UNITS[one.unit], one.name, definition, holds_data=one.holds_data
        )


def _with_copy(one: AwsPart, site: Site) -> AwsPart:
    regions = [each["Region"] for each in one.body.properties.get("ReplicaRegions", ())]
    wanted = dict.fromkeys([*regions, str(site.standby_region)])
    definition = _with(one.body.definition, ReplicaRegions=[{"Region": each} for each in wanted])
    return part_of(one.component, one.unit, one.name, definition, holds_data=one.holds_data)


def _with(definition: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
    return {**definition, "Properties": {**definition["Properties"], **properties}}


def _moved(value: Any, moving: set[tuple[str, str]], here: Mapping[Any, AwsPart]) -> Any:
    """Every reference as it is in the stacks that wait."""
    if isinstance(value, str | Version):
        return value
    if isinstance(value, Ref):
        return held(_there(value, moving, here))
    if isinstance(value, dict):
        return {key: _moved(inner, moving, here) for key, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, moving, here) for inner in value]
    return value


def _there(ref: Ref, moving: set[tuple[str, str]], here: Mapping[Any, AwsPart]) -> Any:
    if (ref.unit, ref.id) in moving:
        return Ref(UNITS[ref.unit], ref.id, ref.attribute)
    owner = here.get((ref.unit, ref.id))
    kind = owner.body.type if owner else ""
    if kind == SECRET and ref.attribute in ("", "Id"):
        return _edge_word.here(ref)
    if kind == REPOSITORY and owner is not None:
        name = owner.body.properties["RepositoryName"]
        return Sub(REPOSITORIES[ref.attribute] + name)
    copied = (STANDBY, ref.id.removesuffix("Bucket") + "StandbyBucket")
    if kind == BUCKET and copied in here:
        return Ref(*copied, ref.attribute)
    return ref


REPOSITORIES = {
    "RepositoryUri": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/",
    "Arn": "arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/",
}
"""What a repository's attributes are in the stack's own region: copies have the same name."""
