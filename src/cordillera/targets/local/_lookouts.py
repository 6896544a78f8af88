"""The lookouts: one in each zone that has somebody to stand in for, and wherever objects are."""

import json
import sys
from collections.abc import Iterator, Mapping

from cordillera.components.wanted import Wanted
from cordillera.targets.local import _copies, _weed, service
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import LocalPart, Parts, Process, Ready, part
from cordillera.targets.local._site import Site, Zone

PORT = 3300
PLAN = "lookout.json"


class Lookouts(Component):
    """They go on without any command or server of ours, and without votes."""

    name = "lookout"

    def parts(self, want: Wanted, site: Site) -> Parts:
        copies = {p.name: p for p in service.Services().parts(want, site)}
        objects = any(want.of_type("objects"))
        if not objects and not any(_copies.is_spare(p) for p in copies.values()):
            return ()
        zones = site.domains if objects else site.zones
        return tuple(_lookout(want, site, zone, zones, copies) for zone in zones)


def _lookout(
    want: Wanted, site: Site, zone: Zone, zones: tuple[Zone, ...], copies: Mapping[str, LocalPart]
) -> LocalPart:
    cuts = site.namespaced and any(want.of_type("objects"))
    plan = {
        "address": "{private}",
        "port": PORT,
        "supervisor": "{run}/supervisor.sock",
        "others": {other.name: other.private for other in zones if other != zone},
        "spares": list(_spares(site, zone, copies)),
        "servers": {} if zone.votes_only else dict(_servers(want, copies)),
        "ports": _weed.PORTS if cuts else [],
    }
    body = Process(
        argv=(sys.executable, "-m", "cordillera.targets.local._lookout", f"{{run}}/{PLAN}"),
        zone=zone.name,
        user="root",  # it asks the zone's supervisor, and writes packet rules
        files={PLAN: json.dumps(plan, indent=1)},
        ready=Ready("tcp", port=PORT),
    )
    return part("lookout", f"lookout@{zone.name}", f"lookout/{zone.name}", body, site.vault.digest)


def _servers(
    want: Wanted, copies: Mapping[str, LocalPart]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Where each spare that listens is a server: the balancer's or the proxy's socket, and the backend."""
    for name, copy in copies.items():
        service_name = copy.unit.removeprefix("service/")
        spec = want.services.get(service_name)
        if spec is None or not _copies.is_spare(copy) or not _copies.listens(spec):
            continue
        if spec.public:
            yield name, ("{run}/edge.sock", "copies")
        else:
            yield name, ("{run}/proxy.sock", f"service-{service_name}")


def _spares(
    site: Site, zone: Zone, copies: Mapping[str, LocalPart]
) -> Iterator[Mapping[str, object]]:
    """What `_lookout.spares.Spare` reads."""
    for name, spare in copies.items():
        body = spare.body
        if not isinstance(body, Process) or not body.spare_for or body.zone != zone.name:
            continue
        home = copies[_copies.home_of(spare)].body
        assert isinstance(home, Process)
        yield {
            "program": name,
            "zone": body.spare_for,
            "memory_bytes": body.memory_bytes,
            "address": site.zone(home.zone).private,
            "port": home.port,
            "path": home.ready.path if home.ready.kind == "http" else "",
        }
