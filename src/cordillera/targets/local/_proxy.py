"""The zone's proxy: the stable address of every resource and of every internal service."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from cordillera.components.wanted import Wanted
from cordillera.core.errors import NotReady
from cordillera.targets.local import _copies, _haproxy, _resources, certificate, service
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import (
    Endpoint,
    LocalPart,
    Parts,
    Process,
    Ready,
    Task,
    part,
)
from cordillera.targets.local._site import Site, Zone

SOCKET, CONFIG, USER = "proxy.sock", "proxy.cfg", "proxy"
KEPT_WHEN = ("obsolete", "other", "nx", "refused", "timeout")
RESOLVERS = "\nresolvers machine\n    parse-resolv-conf\n    hold valid 60s\n" + "".join(
    f"    hold {trouble} 24h\n" for trouble in KEPT_WHEN
)
"""Servers outside, such as a mail provider's, are known by name: asked anew once a minute.

A name server that is away, or does not know what /etc/hosts does, takes no address from us.
"""


class Proxy(Component):
    """One HAProxy in the private subnet of each zone; services wait until it leads somewhere."""

    name = "proxy"

    def parts(self, want: Wanted, site: Site) -> Parts:
        endpoints = list(_resources.endpoints(want, site)) + list(_internal_services(want, site))
        if not endpoints:
            return ()
        made = [_part(site, zone, endpoints) for zone in site.zones]
        names = [e.name for e in _resources.endpoints(want, site) if _must_answer(e)]
        if names:
            task = Task("reach", {"endpoints": " ".join(names)})
            made.append(part("proxy", "endpoints", "endpoints", task, site.vault.digest))
        return made

    def perform(self, task: Task, site: Site, want: Wanted) -> None:
        missing = _unreachable(task, site)
        if missing:
            raise NotReady(f"no server answers yet for {', '.join(missing)}")

    def holds(self, task: Task, site: Site) -> bool:
        try:
            return not _unreachable(task, site)
        except NotReady:
            return False


def _must_answer(endpoint: Endpoint) -> bool:
    """Whether an app would fail without it: it is checked, and nothing stands in for it."""
    return bool(endpoint.check) and not any("use_backend" in line for line in endpoint.options)


def _unreachable(task: Task, site: Site) -> list[str]:
    """Endpoints without a server, in any zone. Raises NotReady while a proxy does not answer."""
    names = task.args["endpoints"].split()
    return [
        f"{name} in zone {zone.name}"
        for zone in site.zones
        for name in names
        if not any(_haproxy.servers(zone.sockets(USER) / SOCKET, name).values())
    ]


def config(zone: Zone, endpoints: list[Endpoint]) -> str:
    """The proxy's whole configuration in one zone."""
    head = _haproxy.GLOBAL.format(socket=zone.sockets(USER) / SOCKET) + "\n" + _haproxy.TCP_DEFAULTS
    names = any(not _is_address(server[1]) for e in endpoints for server in e.servers(zone))
    head += RESOLVERS if names else ""
    return head + "".join(_listen(endpoint, zone) for endpoint in endpoints)


def _part(site: Site, zone: Zone, endpoints: list[Endpoint]) -> LocalPart:
    tls = any(endpoint.tls for endpoint in endpoints)
    body = Process(
        argv=("haproxy", "-W", "-f", f"{{run}}/{CONFIG}"),
        zone=zone.name,
        user=USER,
        files={
            CONFIG: config(zone, endpoints),
            **(
                {certificate.INSIDE_FILE: f"${{secret:{certificate.INSIDE_SECRET}}}"} if tls else {}
            ),
        },
        ready=Ready("running", running_s=0.1),
        reload="USR2",
        stop_signal="TERM",
        log="proxy",
    )
    return part("proxy", f"proxy-{zone.name}", f"proxy/{zone.name}", body, site.vault.digest)


def _listen(endpoint: Endpoint, zone: Zone) -> str:
    tls = f" ssl crt {zone.files(USER)}/{certificate.INSIDE_FILE}" if endpoint.tls else ""
    lines = [f"\nlisten {endpoint.name}", f"    bind {zone.private}:{endpoint.port}{tls}"]
    lines += [f"    {line}" for line in (*endpoint.options, *endpoint.check)]
    lines += [f"    server {line}" for line in _servers(endpoint, zone)]
    return "\n".join(lines) + "\n"


def _servers(endpoint: Endpoint, zone: Zone) -> Iterator[str]:
    for index, (name, address, port) in enumerate(endpoint.servers(zone)):
        backup = " backup" if endpoint.first_only and index else ""
        named = "" if _is_address(address) else " init-addr last,libc,none resolvers machine"
        yield f"{name} {address}:{port}{backup}{named}"


def _is_address(text: str) -> bool:
    return text.replace(".", "").isdigit()


def _internal_services(want: Wanted, site: Site) -> Iterator[Endpoint]:
    """Services that are not public but listen: each zone offers them at a port of their own."""
    copies = [p for p in service.Services().parts(want, site) if isinstance(p.body, Process)]
    for name, spec in want.services.items():
        if spec.public or not _copies.listens(spec):
            continue
        servers = tuple(
            (p.name, site.zone(p.body.zone).private, p.body.port)
            for p in copies
            if isinstance(p.body, Process) and p.unit == f"service/{name}"
        )
        servers_in: Callable[[Zone], Sequence[tuple[str, str, int]]] = partial(_always, servers)
        check = (f"option httpchk GET {spec.health.path}",) if spec.health else ()
        yield Endpoint(
            f"service-{name}",
            service.internal_port(want, name),
            servers_in,
            check,
            ("mode http", "balance leastconn"),
            first_only=False,
        )


def _always(servers: Sequence[tuple[str, str, int]], _: Zone) -> Sequence[tuple[str, str, int]]:
    return servers
