"""What an environment is like now, as ECS, the balancer and the stacks tell, and as its address answers."""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cordillera.components.state import (
    Copy,
    EnvironmentState,
    ResourceState,
    ServiceState,
    ZoneState,
)
from cordillera.components.wanted import Wanted
from cordillera.core.errors import CordilleraError, NotReady
from cordillera.targets.aws import _resources, _running, balancer, network, service
from cordillera.targets.aws._cloudformation import Stack, Stacks
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._public import DISTRIBUTION, behind_edge, public_service
from cordillera.targets.aws._site import APP, EDGE, FRONT, UNITS, site_of

PROBE_TIMEOUT_S = 3.0
SERVER_ERROR = 500


def environment(want: Wanted) -> EnvironmentState:
    """Never raises for a sick environment; raises what the credentials lead to."""
    site = site_of(want)
    live, stacks = Live(site), Stacks(site)
    found = {
        unit: stacks.describe(unit)
        for unit in UNITS
        if site.standby_region or "standby" not in unit
    }
    url = _url(want, live)
    healthy, detail = _front(want, url, found)
    return EnvironmentState(
        environment=want.environment,
        url=url,
        services={name: _service(name, want, live) for name in want.services},
        resources=dict(_observed(want, live)),
        zones=_zones(live),
        isolation="vpc",
        last_change=_last_change(found),
        front_healthy=healthy,
        front_detail=detail,
    )


def _url(want: Wanted, live: Live) -> str:
    if public_service(want) is None:
        return ""
    if want.edge.domains:
        return f"https://{want.edge.domains[0]}"
    with contextlib.suppress(CordilleraError):
        if behind_edge(want):
            host = live.outputs(EDGE).get(DISTRIBUTION.get("DomainName").output, "")
            return f"https://{host}" if host else ""
        names = live.outputs(FRONT)
        host = names.get(balancer.LOAD_BALANCER.get("DNSName").output, "")
        return f"http://{host}" if host else ""
    return ""


def _front(want: Wanted, url: str, found: Mapping[str, Stack | None]) -> tuple[bool, str]:
    """Whether the published address answers, and else why not."""
    sick = [s for s in found.values() if s and s.status.endswith("FAILED")]
    if sick:
        return False, f"the stack {sick[0].name} is {sick[0].status}: {sick[0].reason}"
    if found.get(APP) is None:
        return False, "not up"
    if not url:
        return public_service(want) is None, "the balancer is not there"
    return _answers(url, want)


def _answers(url: str, want: Wanted) -> tuple[bool, str]:
    import urllib.error  # and HTTP, TLS, mail: a plan needs none of it
    import urllib.request

    name = public_service(want)
    health = want.services[name].health if name else None
    request = urllib.request.Request(url + (health.path if health else "/"))  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=PROBE_TIMEOUT_S):  # noqa: S310
            return True, ""
    except urllib.error.HTTPError as e:
        return e.code < SERVER_ERROR, f"it answers {e.code}"
    except OSError as e:
        return False, f"no answer: {e}"


def _service(name: str, want: Wanted, live: Live) -> ServiceState:
    try:
        arn = live.physical(service.service(name))
        cluster = live.physical(service.CLUSTER)
    except NotReady:
        return ServiceState(want.services[name].scale.min)
    ecs = live.client("ecs")
    described = ecs.describe_services(cluster=cluster, services=[arn])["services"]
    desired = int(described[0]["desiredCount"]) if described else want.services[name].scale.min
    short = str(described[0]["serviceName"]) if described else arn
    found = _running.tasks(cluster, live, serviceName=short)
    targets = _targets(name, live) if want.services[name].public else None
    return ServiceState(desired, tuple(_copy(name, task, targets) for task in found))


def _targets(name: str, live: Live) -> dict[str, str] | None:
    """Address -> why the balancer sends it nothing, empty when it does; None when it cannot be asked."""
    try:
        group = live.physical(balancer.target_group(name))
        found = live.client("elbv2").describe_target_health(TargetGroupArn=group)
    except CordilleraError:
        return None
    return {
        str(one["Target"]["Id"]): _ailment(one.get("TargetHealth", {}))
        for one in found["TargetHealthDescriptions"]
    }


def _ailment(health: Mapping[str, Any]) -> str:
    state = str(health.get("State", "unknown"))
    if state == "healthy":
        return ""
    said = health.get("Description") or health.get("Reason") or ""
    return f"{state} at the balancer" + (f": {said}" if said else "")


def _address(task: Mapping[str, Any]) -> str:
    """Its private address."""
    details = [
        detail
        for attachment in task.get("attachments", ())
        for detail in attachment.get("details", ())
    ]
    found = (d["value"] for d in details if d.get("name") == "privateIPv4Address")
    return str(next(found, ""))


def _copy(name: str, task: Mapping[str, Any], targets: Mapping[str, str] | None) -> Copy:
    running = task["lastStatus"] == "RUNNING"
    ailment = targets.get(_address(task), "not at the balancer yet") if targets else ""
    well = running and task.get("healthStatus", "UNKNOWN") != "UNHEALTHY" and not ailment
    started = task.get("startedAt")
    age = (datetime.now(UTC) - started).total_seconds() if started else 0.0
    return Copy(
        name=f"{name}-{str(task['taskArn']).rsplit('/', 1)[-1][:6]}",
        zone=str(task.get("availabilityZone", "")),
        healthy=well,
        pid=1 if running else 0,
        release=str(task.get("taskDefinitionArn", "")).rsplit(":", 1)[-1],
        age_s=age,
        detail="" if well else ailment if running and ailment else str(task["lastStatus"]).lower(),
    )


def _observed(want: Wanted, live: Live) -> Iterator[tuple[str, ResourceState]]:
    for component in _resources.by_type().values():
        try:
            yield from component.observe(want, live).items()
        except CordilleraError as e:
            for name, spec in want.of_type(component.name):
                yield name, ResourceState(spec.type, False, False, "", detail=str(e))


def _zones(live: Live) -> dict[str, ZoneState]:
    """The availability zones of the private subnets."""
    try:
        ids = [live.physical(network.subnet("private", zone)) for zone in live.site.zones]
    except CordilleraError:
        return {zone.name: ZoneState(False, "not up") for zone in live.site.zones}
    found = live.client("ec2").describe_subnets(SubnetIds=ids)["Subnets"]
    return {str(s["AvailabilityZone"]): ZoneState(s["State"] == "available") for s in found}


def _last_change(found: Mapping[str, Stack | None]) -> str:
    changed = [(s.changed, unit) for unit, s in found.items() if s and s.changed]
    if not changed:
        return ""
    at, unit = max(changed)
    return f"{at.astimezone(UTC).isoformat(timespec='seconds')} {unit}"
