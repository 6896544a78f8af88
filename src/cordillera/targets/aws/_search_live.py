"""A search domain as it really is: its servers and zones, whether every copy of every index is there."""

import contextlib
from collections.abc import Mapping
from typing import Any

from cordillera.components.state import Member, ResourceState
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._live import Live


def state(name: str, live: Live) -> ResourceState:
    """The domain as AWS tells it. Raises CordilleraError when it cannot be asked."""
    client = live.client("opensearch")
    found = client.describe_domain(DomainName=name)["DomainStatus"]
    health: Mapping[str, Any] = {}
    with contextlib.suppress(AwsError):
        health = client.describe_domain_health(DomainName=name)
    members = tuple(
        _member(zone)
        for environment in health.get("EnvironmentInformation", ())
        for zone in environment.get("AvailabilityZoneInformation", ())
    )
    trouble = _trouble(found, health, members)
    host = found.get("Endpoints", {}).get("vpc") or found.get("Endpoint", "")
    return ResourceState(
        type="search",
        healthy=not trouble,
        durable=health.get("ClusterHealth") == "Green" and len(members) > 1,
        endpoint=f"{host}:443" if host else "",
        members=members,
        detail=trouble,
    )


def _member(zone: Mapping[str, Any]) -> Member:
    there, wanted = (
        int(zone.get("AvailableDataNodeCount", 0)),
        int(zone.get("ConfiguredDataNodeCount", 0)),
    )
    detail = "" if there >= wanted else f"{there} of {wanted} servers"
    return Member(str(zone.get("AvailabilityZoneName", "")), "data", not detail, detail=detail)


def _trouble(
    found: Mapping[str, Any], health: Mapping[str, Any], members: tuple[Member, ...]
) -> str:
    """What is wrong, in a sentence; empty when nothing is."""
    if found.get("Processing"):
        return "the domain is being changed"
    if not health:
        return "AWS does not tell how the domain is"
    if health.get("ClusterHealth") != "Green":
        colour = str(health.get("ClusterHealth", "unknown")).lower()
        return f"the cluster is {colour}: not every copy of every index is there"
    short = [m.zone for m in members if not m.healthy]
    return f"servers are missing in {' and '.join(short)}" if short else ""
