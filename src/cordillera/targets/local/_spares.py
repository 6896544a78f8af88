"""The watch in each zone that has spare copies started while another zone is lost."""

import json
import sys
from collections.abc import Iterator, Mapping

from cordillera.components.wanted import Wanted
from cordillera.targets.local import _copies, service
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import LocalPart, Parts, Process, Ready, part
from cordillera.targets.local._site import Site, Zone

PORT = 3300
PLAN = "spares.json"


class Spares(Component):
    """They go on without any command or server of ours, and without votes."""

    name = "spares"

    def parts(self, want: Wanted, site: Site) -> Parts:
        copies = {p.name: p for p in service.Services().parts(want, site)}
        if not any(_copies.is_spare(p) for p in copies.values()):
            return ()
        return tuple(_watch(want, site, zone, copies) for zone in site.zones)


def _watch(want: Wanted, site: Site, zone: Zone, copies: Mapping[str, LocalPart]) -> LocalPart:
    plan = {
        "address": "{private}",
        "port": PORT,
        "supervisor": "{run}/supervisor.sock",
        "others": {other.name: other.private for other in site.others(zone)},
        "spares": list(_spares(site, zone, copies)),
        "servers": dict(_servers(want, copies)),
    }
    body = Process(
        argv=(sys.executable, "-m", "cordillera.targets.local._spares_watch", f"{{run}}/{PLAN}"),
        zone=zone.name,
        user="root",  # it asks the zone's supervisor
        files={PLAN: json.dumps(plan, indent=1)},
        ready=Ready("tcp", port=PORT),
    )
    return part("spares", f"spares@{zone.name}", f"spares/{zone.name}", body, site.vault.digest)


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
    """What `_spares_watch.Spare` reads."""
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
