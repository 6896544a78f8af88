"""The lookouts: one in each zone with copies of services, and wherever objects are."""

import json
import sys
from collections.abc import Iterator, Mapping

from cordillera.components.wanted import Wanted
from cordillera.targets.local import _copies, _haproxies, _proxy, _shim, _weed, balancer, service
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import LocalPart, Parts, Process, Ready, is_spare, part
from cordillera.targets.local._site import Site, Zone
from cordillera.targets.local.objects import spare_of

PORT = 3300
PLAN = "lookout.json"


class Lookouts(Component):
    """They go on without any command or server of ours, and without votes."""

    name = "lookout"

    def parts(self, want: Wanted, site: Site) -> Parts:
        copies = {p.name: p for p in service.Services().parts(want, site)}
        objects = any(want.of_type("objects"))
        if not objects and not copies:
            return ()
        zones = site.domains if objects else site.zones
        return tuple(_lookout(want, site, zone, zones, copies) for zone in zones)


def _lookout(
    want: Wanted, site: Site, zone: Zone, zones: tuple[Zone, ...], copies: Mapping[str, LocalPart]
) -> LocalPart:
    objects = any(want.of_type("objects"))
    cuts = site.namespaced and objects
    plan = {
        "address": "{private}",
        "port": PORT,
        "supervisor": "{zone_run}/supervisor.sock",
        "others": {other.name: other.private for other in zones if other != zone},
        "spares": list(_spares(site, zone, copies)),
        "servers": {} if zone.votes_only else dict(_servers(want, zone, copies)),
        "ports": _weed.PORTS if cuts else [],
        "store": spare_of(zone) if objects and not zone.votes_only else "",
        "flag": str(zone.sockets("database") / _weed.SPARE_FLAG),
        "copies": list(_checked(want, zone, copies)),
        "haproxies": [] if zone.votes_only else list(_watched(zone)),
    }
    body = Process(
        argv=(sys.executable, "-m", "cordillera.targets.local._lookout", f"{{run}}/{PLAN}"),
        zone=zone.name,
        user="root",  # it asks the zone's supervisor, and writes packet rules
        files={PLAN: json.dumps(plan, indent=1)},
        ready=Ready("tcp", port=PORT),
    )
    return part("lookout", f"lookout@{zone.name}", f"lookout/{zone.name}", body, site.vault.digest)


def _watched(zone: Zone) -> Iterator[Mapping[str, str]]:
    """What `_lookout.frozen.Watched` reads. One that does not run is passed over there."""
    for name, (socket, config) in _haproxies.of_zone(zone).items():
        yield {"name": name, "socket": str(socket), "config": str(config)}


def _servers(
    want: Wanted, zone: Zone, copies: Mapping[str, LocalPart]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Where each spare that listens is a server: the balancer's or the proxy's socket, and the backend."""
    for name, copy in copies.items():
        at = _server(want, zone, copy)
        if at and is_spare(copy):
            yield name, at


def _server(want: Wanted, zone: Zone, copy: LocalPart) -> tuple[str, str] | None:
    """The socket and the backend of whoever checks a copy; None when it does not listen."""
    service_name = copy.unit.removeprefix("service/")
    spec = want.services.get(service_name)
    if spec is None or not isinstance(copy.body, Process) or not _copies.listens(spec):
        return None
    if spec.public:
        return str(zone.sockets(balancer.USER) / balancer.SOCKET), "copies"
    return str(zone.sockets(_proxy.USER) / _proxy.SOCKET), f"service-{service_name}"


def _checked(
    want: Wanted, zone: Zone, copies: Mapping[str, LocalPart]
) -> Iterator[Mapping[str, object]]:
    """What `_lookout.unhealthy.Copy` reads: the copies in the zone that listen, spares too.

    One that ended again and again waits before it starts: that counts as starting.
    """
    for name, copy in copies.items():
        at, body = _server(want, zone, copy), copy.body
        if at and isinstance(body, Process) and body.zone == zone.name:
            yield {
                "program": name,
                "start_s": body.ready.within_s + _shim.LONGEST_DELAY_S,
                "socket": at[0],
                "backend": at[1],
                "address": "{private}",
                "port": body.port,
                "path": body.ready.path if body.ready.kind == "http" else "",
            }


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
