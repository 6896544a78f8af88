"""Security groups that name each other: what is not listed here is closed.

They form no circle, so each lists its own: the balancer may be reached from outside, a service from the
balancer and from the environment's services, a resource from the services that use it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from troposphere import Tags, ec2

from cordillera.components.database import DatabaseSpec
from cordillera.components.service import ServiceSpec
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _mail_relay
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._refs import Ref, camel
from cordillera.targets.aws._site import NETWORK, Site

BALANCER, CALLERS, ENDPOINTS = "BalancerGroup", "CallersGroup", "EndpointsGroup"
RESOURCE_PORTS = {"database": 3306, "cache": 6379, "search": 443}
"""Resources that live in the network; the others are reached through the cloud's own addresses."""

NOWHERE = ({"CidrIp": "127.0.0.1/32", "IpProtocol": "-1", "Description": "nowhere"},)
ANYWHERE = ({"CidrIp": "0.0.0.0/0", "IpProtocol": "-1", "Description": "anywhere"},)


def of_service(name: str) -> Ref:
    """The group of a service's copies."""
    return Ref(NETWORK, camel(name, "service-group"))


def of_resource(name: str) -> Ref:
    """The group of a resource's servers: database, cache or search."""
    return Ref(NETWORK, camel(name, "resource-group"))


def of_proxy(name: str) -> Ref:
    """The group of the proxy before a database."""
    return Ref(NETWORK, camel(name, "proxy-group"))


def of_tasks(name: str) -> list[Ref]:
    """All groups that a service's copies are in."""
    return [of_service(name), Ref(NETWORK, CALLERS)]


def listens(spec: ServiceSpec) -> bool:
    """Whether anything is sent to it: it is public or tells how its health is asked."""
    return spec.public or spec.health is not None


def groups(want: Wanted, site: Site) -> Iterator[AwsPart]:
    """All groups of an environment."""
    yield _group(site, BALANCER, "the balancer", _from_outside(want, site), ANYWHERE)
    yield _group(site, CALLERS, "services, as those who call others", (), ANYWHERE)
    if want.network.endpoints:
        callers = [_from(Ref(NETWORK, CALLERS), 443, "services")]
        yield _group(site, ENDPOINTS, "ways to services of AWS", callers, NOWHERE)
    for name, spec in want.services.items():
        rules = list(_to_service(spec)) if listens(spec) else []
        yield _group(site, of_service(name).id, f"service {name}", rules, ANYWHERE)
    relays = _mail_relay.relays(want)
    if relays:
        rules = [_from(of_service(relay), 2049, f"service {relay}") for relay in relays]
        yield _group(site, _mail_relay.group().id, "disks of mail queues", rules, NOWHERE)
    for name, resource in want.resources.items():
        if resource.type in RESOURCE_PORTS:
            rules = list(_to_resource(name, RESOURCE_PORTS[resource.type], want))
            if isinstance(resource, DatabaseSpec) and resource.proxy:
                proxy = f"proxy of {name}"
                yield _group(site, of_proxy(name).id, proxy, rules, [_into(site, 3306)])
                rules = [_from(of_proxy(name), 3306, proxy)]
            yield _group(site, of_resource(name).id, f"{resource.type} {name}", rules, NOWHERE)


def _group(site: Site, id: str, what: str, rules: Sequence[Any], egress: Sequence[Any]) -> AwsPart:
    made = ec2.SecurityGroup(
        id,
        VpcId=Ref(NETWORK, "Vpc"),
        GroupDescription=f"{site.environment}: {what}",
        SecurityGroupIngress=list(rules),
        SecurityGroupEgress=[dict(rule) for rule in egress],
        Tags=Tags(Name=f"{site.environment} {what}"),
    )
    return part("network", NETWORK, made)


def _from_outside(want: Wanted, site: Site) -> list[dict[str, Any]]:
    source = site.cidr() if want.network.internal else "0.0.0.0/0"
    return [
        {
            "CidrIp": source,
            "IpProtocol": "tcp",
            "FromPort": port,
            "ToPort": port,
            "Description": "visitors",
        }
        for port in (80, 443)
    ]


def _to_service(spec: ServiceSpec) -> Iterator[dict[str, Any]]:
    if spec.public:
        yield _from(Ref(NETWORK, BALANCER), spec.port, "the balancer")
    yield _from(Ref(NETWORK, CALLERS), spec.port, "other services")


def _to_resource(name: str, port: int, want: Wanted) -> Iterator[dict[str, Any]]:
    for service, spec in want.services.items():
        if name in spec.resources:
            yield _from(of_service(service), port, f"service {service}")


def _into(site: Site, port: int) -> dict[str, Any]:
    """Out to anywhere in the network; the other side's group says to whom it opens."""
    return {
        "CidrIp": site.cidr(),
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "Description": "servers",
    }


def _from(group: Ref, port: int, who: str) -> dict[str, Any]:
    return {
        "SourceSecurityGroupId": group.get("GroupId"),
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "Description": who,
    }
