"""A VPC per environment: subnets in each zone, ways out, endpoints, flow logs, closed groups."""

from collections.abc import Iterator, Sequence
from typing import Any

from troposphere import GetAZs, Select, Tags, ec2, iam, logs

from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _groups, _keys
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._endpoints import endpoints
from cordillera.targets.aws._parts import AwsPart, Parts, part
from cordillera.targets.aws._policy import allow, document, trust
from cordillera.targets.aws._refs import Ref, camel
from cordillera.targets.aws._site import NETWORK, Site, Zone

OFFER = Offered("a VPC per environment; IPv4 only")

FLOW_LOG_DAYS = 30
VPC = Ref(NETWORK, "Vpc")


def subnet(kind: str, zone: Zone) -> Ref:
    """The subnet of that kind in a zone: `public`, `private` or `isolated`."""
    return Ref(NETWORK, camel(kind, "subnet", zone.name))


def subnets(kind: str, site: Site) -> list[Ref]:
    """The subnets of that kind, one in each zone."""
    return [subnet(kind, zone) for zone in site.zones]


def task_subnets(want: Wanted) -> str:
    """The kind of subnet that services run in: without a gateway they need addresses of their own."""
    return "public" if want.network.outbound == "none" else "private"


def isolated(zone: Zone, site: Site) -> Iterator[AwsPart]:
    """An isolated subnet in a zone that the environment has not otherwise."""
    return _subnet("isolated", "IsolatedRoutes", zone, site)


class Network(Component):
    """Public subnets for balancers and gateways, private for services, isolated for data."""

    name = "network"

    def parts(self, want: Wanted, site: Site) -> Parts:
        return [
            *_vpc(site),
            *(one for zone in site.zones for one in _zone(zone, want, site)),
            *endpoints(want, site),
            *_flow_logs(),
            *_groups.groups(want, site),
        ]


def _part(resource: Any) -> AwsPart:
    return part("network", NETWORK, resource)


def _named(site: Site, what: str) -> Any:
    return Tags(Name=f"{site.environment} {what}")


def _vpc(site: Site) -> Iterator[AwsPart]:
    yield _part(
        ec2.VPC(
            "Vpc",
            CidrBlock=site.cidr(),
            EnableDnsHostnames=True,
            EnableDnsSupport=True,
            Tags=_named(site, "network"),
        )
    )
    yield _part(ec2.InternetGateway("InternetGateway", Tags=_named(site, "internet")))
    yield _part(
        ec2.VPCGatewayAttachment(
            "InternetAttachment", VpcId=VPC, InternetGatewayId=Ref(NETWORK, "InternetGateway")
        )
    )
    for kind in ("Public", "Isolated"):
        yield _part(ec2.RouteTable(f"{kind}Routes", VpcId=VPC, Tags=_named(site, kind.lower())))
    yield _part(
        ec2.Route(
            "PublicDefaultRoute",
            RouteTableId=Ref(NETWORK, "PublicRoutes"),
            DestinationCidrBlock="0.0.0.0/0",
            GatewayId=Ref(NETWORK, "InternetGateway"),
            DependsOn="InternetAttachment",
        )
    )


def _zone(zone: Zone, want: Wanted, site: Site) -> Iterator[AwsPart]:
    private = f"PrivateRoutes{zone.name.upper()}"
    yield _part(ec2.RouteTable(private, VpcId=VPC, Tags=_named(site, f"private {zone.name}")))
    for kind, table in (
        ("public", "PublicRoutes"),
        ("private", private),
        ("isolated", "IsolatedRoutes"),
    ):
        yield from _subnet(kind, table, zone, site)
    if want.network.outbound != "none":
        yield from _way_out(private, zone, want, site)


def _subnet(kind: str, table: str, zone: Zone, site: Site) -> Iterator[AwsPart]:
    made = subnet(kind, zone)
    yield _part(
        ec2.Subnet(
            made.id,
            VpcId=VPC,
            CidrBlock=site.subnet(kind, zone),
            AvailabilityZone=Select(zone.index, GetAZs("")),
            Tags=_named(site, f"{kind} {zone.name}"),
        )
    )
    yield _part(
        ec2.SubnetRouteTableAssociation(
            camel(kind, "association", zone.name), SubnetId=made, RouteTableId=Ref(NETWORK, table)
        )
    )


def _way_out(table: str, zone: Zone, want: Wanted, site: Site) -> Iterator[AwsPart]:
    """The route to the internet: to the zone's own gateway, or to the first zone's."""
    own = want.network.outbound == "zone" or zone.index == 0
    gateway = zone if own else site.zones[0]
    if own:
        letter = zone.name.upper()
        address = ec2.EIP(f"NatAddress{letter}", Domain="vpc", DependsOn="InternetAttachment")
        yield _part(address)
        yield _part(
            ec2.NatGateway(
                f"NatGateway{letter}",
                AllocationId=Ref(NETWORK, f"NatAddress{letter}", "AllocationId"),
                SubnetId=subnet("public", zone),
                Tags=_named(site, f"way out {zone.name}"),
            )
        )
    yield _part(
        ec2.Route(
            camel("private-default-route", zone.name),
            RouteTableId=Ref(NETWORK, table),
            DestinationCidrBlock="0.0.0.0/0",
            NatGatewayId=Ref(NETWORK, f"NatGateway{gateway.name.upper()}"),
        )
    )


def _flow_logs() -> Sequence[AwsPart]:
    """Who talked to whom, for whoever investigates."""
    group, role = Ref(NETWORK, "FlowLogGroup"), Ref(NETWORK, "FlowLogRole")
    write = allow(
        ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
        [group.get("Arn")],
    )
    return [
        _part(
            logs.LogGroup(
                "FlowLogGroup", RetentionInDays=FLOW_LOG_DAYS, KmsKeyId=_keys.KEY.get("Arn")
            )
        ),
        _part(
            iam.Role(
                "FlowLogRole",
                AssumeRolePolicyDocument=trust("vpc-flow-logs.amazonaws.com"),
                Policies=[iam.Policy(PolicyName="write", PolicyDocument=document(write))],
            )
        ),
        _part(
            ec2.FlowLog(
                "FlowLog",
                ResourceId=VPC,
                ResourceType="VPC",
                TrafficType="ALL",
                LogDestinationType="cloud-watch-logs",
                LogGroupName=group,
                DeliverLogsPermissionArn=role.get("Arn"),
            )
        ),
    ]
