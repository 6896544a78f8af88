"""The copies of a service: spread over the zones, and for each a spare that waits in another zone.

A spare is a program that its zone's supervisor knows and does not run. A lookout starts it when the
zone of the copy that it stands in for is lost.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from cordillera.components.service import ServiceSpec
from cordillera.components.wanted import Wanted
from cordillera.targets.local import _release
from cordillera.targets.local._parts import SECRET, LocalPart, Process, Ready, part
from cordillera.targets.local._site import APP_PORTS, SERVICE, Site, Zone

TAG_LETTERS = 5
GROUPS = ("apps",)
PROCESSES = 512
"""Processes and threads that a copy may have: a thousand neighbours must not feel one that multiplies."""

Variables = Callable[[Zone], Mapping[str, str]]
"""What a service's commands receive in a zone."""


def of(name: str, want: Wanted, site: Site, variables: Variables) -> Iterator[LocalPart]:
    """Every copy of one service, and the spare of each, if there is another zone. Pure."""
    spec, place = want.services[name], _release.place(site, want.releases[name])
    ports = dict(site.ports)
    for home, number in spread(spec.scale.min, site.zones):
        body = _body(name, spec, home, place, variables(home))
        tag = _tag(body, site)
        yield _part(name, f"{name}-{tag}-{home.name}{number}", body, spec, site, ports)
        others = list(site.others(home))
        if others:
            other = others[number % len(others)]
            spare = _body(name, spec, other, place, variables(other))
            spare = replace(spare, spare_for=home.name)
            called = f"{name}-{tag}-{other.name}-for-{home.name}{number}"
            yield _part(name, called, spare, spec, site, ports)


def spread(count: int, zones: tuple[Zone, ...]) -> Iterator[tuple[Zone, int]]:
    """(zone, number) of each copy, as evenly as can be."""
    return ((zones[i % len(zones)], i // len(zones) + 1) for i in range(count))


def home_of(spare: LocalPart) -> str:
    """The name of the copy that a spare stands in for. Pure."""
    before, _, home = spare.name.rpartition("-for-")
    return f"{before.rpartition('-')[0]}-{home}"


def is_image(spec: ServiceSpec) -> bool:
    """Whether its release is a container image."""
    return bool(spec.image or (spec.build and spec.build.dockerfile))


def listens(spec: ServiceSpec) -> bool:
    """Whether anything is sent to it: it is public or tells how its health is asked."""
    return spec.public or spec.health is not None


def _body(
    name: str, spec: ServiceSpec, zone: Zone, place: Path, variables: Mapping[str, str]
) -> Process:
    return Process(
        argv=("/bin/sh", "-c", spec.command) if spec.command else (),
        zone=zone.name,
        user=SERVICE + name,
        groups=GROUPS,
        variables=variables,
        folder=str(place / "app"),
        image=str(place) if is_image(spec) else "",
        release=str(place),
        tmp_bytes=spec.memory // 2,
        processes=PROCESSES,
        stop_grace_s=spec.stop_grace,
        memory_bytes=spec.memory,
        cpu_cores=spec.cpu,
        log=name,
        ready=Ready("running", within_s=30.0, running_s=1.0),
    )


def _part(
    name: str, copy: str, body: Process, spec: ServiceSpec, site: Site, ports: dict[str, int]
) -> LocalPart:
    body = replace(body, variables={**body.variables, "CORDILLERA_COPY": copy})
    if listens(spec):
        body = _with_port(body, spec, _port(copy, ports))
    return part("service", copy, f"service/{name}", body, site.vault.digest)


def _with_port(body: Process, spec: ServiceSpec, port: int) -> Process:
    ready = Ready("tcp", port=port)
    if spec.health:
        ready = Ready(
            "http",
            port=port,
            path=spec.health.path,
            within_s=spec.health.start,
            timeout_s=spec.health.timeout,
        )
    return replace(body, port=port, ready=ready, variables={**body.variables, "PORT": str(port)})


def _port(copy: str, ports: dict[str, int]) -> int:
    """The port it had, else the lowest that no copy has."""
    if ports.get(copy) not in APP_PORTS:
        ports[copy] = next(port for port in APP_PORTS if port not in ports.values())
    return ports[copy]


def _tag(body: Process, site: Site) -> str:
    """A few letters that change with anything a copy is made of: a new release is a new name.

    The zone does not count, so that a release's copies carry the same letters everywhere.
    """
    zone = site.zone(body.zone)
    secrets = [site.vault.digest(name) for name in SECRET.findall(json.dumps(dict(body.variables)))]
    text = json.dumps([asdict(replace(body, zone="")), secrets])
    for own, common in ((zone.private, ""), (str(zone.run), ""), (f'"{zone.name}"', "")):
        text = text.replace(own, common)
    return hashlib.sha256(text.encode()).hexdigest()[:TAG_LETTERS]
