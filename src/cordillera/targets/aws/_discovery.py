"""Names in DNS for one-off commands: Service Connect reaches other services from services only.

A service is `http://NAME:PORT` to the others; to a release command or to `run` it is
`http://NAME.ENVIRONMENT.internal:PORT`, and the variables that they receive say so.
"""

from collections.abc import Iterator
from typing import Any

from troposphere import ecs
from troposphere import servicediscovery as discovery

from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _groups, network
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._refs import Ref, camel
from cordillera.targets.aws._site import RELEASE, Site

NAMES = Ref(RELEASE, "Names")
REMEMBERED_S = 10


def host(service: str, site: Site) -> str:
    """The name by which a one-off command reaches a service."""
    return f"{service}.{domain(site)}"


def domain(site: Site) -> str:
    """`acme/production` is production.acme.internal."""
    return ".".join([*reversed(site.environment.split("/")), "internal"])


def parts(want: Wanted, site: Site) -> Iterator[AwsPart]:
    """A private zone, and a name in it for each service that listens; nothing when none does."""
    named = [name for name, spec in want.services.items() if _groups.listens(spec)]
    if named:
        zone = discovery.PrivateDnsNamespace(NAMES.id, Name=domain(site), Vpc=network.VPC)
        yield part("service", RELEASE, zone)
    for name in named:
        yield part("service", RELEASE, _name(name))


def registered(name: str) -> list[Any]:
    """What a service that listens says of its copies."""
    return [ecs.ServiceRegistry(RegistryArn=_ref(name).get("Arn"))]


def _ref(name: str) -> Ref:
    return Ref(RELEASE, camel(name, "name"))


def _name(name: str) -> Any:
    return discovery.Service(
        _ref(name).id,
        Name=name,
        NamespaceId=NAMES,
        DnsConfig=discovery.DnsConfig(
            DnsRecords=[discovery.DnsRecord(Type="A", TTL=REMEMBERED_S)],
            RoutingPolicy="MULTIVALUE",
        ),
    )
