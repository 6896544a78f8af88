"""The balancer: an edge in every zone, and two fronts that share the environment's published address.

front (TLS) -> edge (rules) -> firewall and cache -> edge (copies) -> service, each hop checked.
"""

import http.client
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from cordillera.components.protocol import Progress
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.core.errors import NotReady
from cordillera.targets.local import (
    _again,
    _haproxy,
    _net,
    _nginx,
    _published,
    _visitor,
    certificate,
    firewall,
    pages,
    service,
)
from cordillera.targets.local._component import Component
from cordillera.targets.local._firewall_rules import EDGE_PORT
from cordillera.targets.local._lookout import frozen
from cordillera.targets.local._parts import LocalPart, Parts, Process, Ready, is_spare, part
from cordillera.targets.local._public import public_service
from cordillera.targets.local._site import Site, Zone

OFFER = Offered("one public service")

SOCKET, CONFIG, FRONT_CONFIG = "edge.sock", "edge.cfg", "front.cfg"
USER, FRONT_USER = "edge", "front"
FRONTS = 2
HEALTH = "/.cordillera/edge"


class Balancer(Component):
    """One HAProxy in the public subnet of each zone: it takes copies out that are dead or slow."""

    name = "balancer"

    def parts(self, want: Wanted, site: Site) -> Parts:
        if public_service(want) is None:
            return ()
        copies = list(_copies_of(want, site))
        return tuple(_edge(want, site, zone, copies) for zone in site.zones)

    def ready(self, found: LocalPart, site: Site) -> Progress:
        """Up once a copy is up behind it."""
        zone = site.zone(found.name.removeprefix("edge-"))
        try:
            up = [
                name
                for name, ok in _haproxy.servers(zone.sockets(USER) / SOCKET, "copies").items()
                if ok
            ]
        except NotReady as e:
            return Progress(done=False, detail=str(e))
        return Progress(done=bool(up), detail="" if up else "no copy is healthy behind it")


class Front(Component):
    """Two HAProxies on one listening socket: either may die without a refused connection."""

    name = "front"

    def parts(self, want: Wanted, site: Site) -> Parts:
        if public_service(want) is None:
            return ()
        body = Process(
            argv=("haproxy", "-W", "-f", f"{{run}}/{FRONT_CONFIG}"),
            zone=site.front.name,
            user=FRONT_USER,
            subnet="outside",
            files={
                FRONT_CONFIG: front_config(want, site),
                "front.tls.pem": f"${{secret:{certificate.SERVER_SECRET}}}",
                **{f"{status}.http": text for status, text in pages.errors().items()},
            },
            ready=Ready("driver"),
            reload="USR2",
            shared_socket=site.listen,
            copies=FRONTS,
        )
        return (part("front", "front", "front", body, site.vault.digest), _of_one_mind(site))

    def ready(self, found: LocalPart, site: Site) -> Progress:
        """Up once both answer, and the published address through an edge."""
        try:
            status = _published.get(site, HEALTH).status
        except (OSError, http.client.HTTPException) as e:
            return Progress(done=False, detail=str(e))
        if status != http.HTTPStatus.OK:
            return Progress(done=False, detail=f"HTTP {status} from the edges")
        silent = silent_fronts(site)
        return Progress(done=not silent, detail=silent)


def front_sockets(site: Site) -> dict[str, Path]:
    """Both fronts, with the socket of each."""
    names = [f"front-{number}" for number in range(FRONTS)]
    return {name: site.front.sockets(FRONT_USER) / f"{name}.sock" for name in names}


def silent_fronts(site: Site) -> str:
    """How many of the fronts do not answer, as a sentence; empty when all do."""
    sockets = list(front_sockets(site).values())
    silent = _net.at_once(sockets, _haproxy.answers).count(False)
    return f"{silent} of {len(sockets)} fronts do not answer" if silent else ""


def _of_one_mind(site: Site) -> LocalPart:
    """Beside the fronts: it ends what waits for a lost edge when all of them know."""
    config = str(site.front.files(FRONT_USER) / FRONT_CONFIG)
    watched = [
        {"name": name, "socket": str(socket), "config": config}
        for name, socket in front_sockets(site).items()
    ]
    body = Process(
        argv=(
            sys.executable,
            "-m",
            "cordillera.targets.local._lookout.fronts",
            "{run}/fronts.json",
        ),
        zone=site.front.name,
        user=FRONT_USER,
        subnet="outside",
        files={"fronts.json": json.dumps({"fronts": watched})},
    )
    return part("front", "lookout@front", "front", body, site.vault.digest)


def front_config(want: Wanted, site: Site) -> str:
    """TLS and what a visitor may say, then whichever zone's edge is healthy."""
    run, sockets = site.front.files(FRONT_USER), site.front.sockets(FRONT_USER)
    lines = [
        _haproxy.GLOBAL.format(socket=f'"{sockets}/${{{frozen.PROCESS}}}.sock"'),
        "    expose-experimental-directives\n",  # normalize-uri
        _haproxy.HTTP_DEFAULTS,
        *(f"    errorfile {status} {run}/{status}.http\n" for status in pages.errors()),
        "\nfrontend published\n",
        f"    bind fd@0 ssl crt {run}/front.tls.pem alpn h2,http/1.1\n",
        *(f"    {line}\n" for line in _visitor.rules(want, site)),
        "    http-response set-header Strict-Transport-Security max-age=31536000\n",
        "    default_backend edges\n",
        "\nbackend edges\n    balance roundrobin\n",
        "    errorfile 502 /dev/null\n",  # its edge died: the connection breaks, and may be repeated
        f"    option httpchk GET {HEALTH}\n    http-check expect status 200\n",
        *(
            f"    server {z.name} {z.public}:{EDGE_PORT} send-proxy-v2 check-send-proxy\n"
            for z in site.zones
        ),
        "    option allbackups\n",
        *(
            f"    server {z.name}-anyway {z.public}:{EDGE_PORT} send-proxy-v2 backup no-check\n"
            for z in site.zones
        ),
    ]
    return "".join(lines)


def edge_config(want: Wanted, site: Site, zone: Zone, copies: list[LocalPart]) -> str:
    """Rules, the firewall, and the copies behind it."""
    name = public_service(want)
    spec = want.services[name] if name else None
    health = spec.health if spec else None
    check = [f"    option httpchk GET {health.path}\n"] if health else []
    slow = [f"    timeout check {round(health.timeout * 1000)}ms\n"] if health else []
    files, sockets = zone.files(USER), zone.sockets(USER)
    lines = [
        _haproxy.GLOBAL.format(socket=sockets / SOCKET),
        f"    lua-load {files}/{_again.SCRIPT_NAME}\n",
        _haproxy.HTTP_DEFAULTS,
        *(f"    errorfile {status} {files}/{status}.http\n" for status in pages.errors()),
        "\nfrontend edge\n",
        f"    bind {zone.public}:{EDGE_PORT} accept-proxy\n",
        "    unique-id-format %{+X}o%ci%cp%Ts%rt%pid\n    unique-id-header X-Request-ID\n",
        f"    monitor-uri {HEALTH}\n    acl empty nbsrv(copies) lt 1\n    acl bare nbsrv(waf) lt 1\n",
        "    monitor fail if empty or bare\n",
        "    http-request set-header X-Forwarded-For %[src]\n",
        *(f"    {line}\n" for line in firewall.haproxy_rules(want.edge.firewall)),
        *(f"    {line}\n" for line in pages.rules(files, ours=_nginx.REFUSED)),
        "    default_backend waf\n",
        "\nbackend waf\n",
        f"    server nginx unix@{zone.sockets('firewall')}/nginx.sock check inter 500ms\n",
        f"\nfrontend app\n    bind unix@{sockets}/app.sock mode 666\n",
        *(f"    {line}\n" for line in _again.FIRST),
        "    default_backend copies\n",
        f"\nfrontend again\n    bind unix@{sockets}/again.sock mode 666\n",
        *(f"    {line}\n" for line in _again.SECOND),
        "    default_backend copies\n",
        "\nbackend copies\n    balance leastconn\n",
        *check,
        *slow,
        *(_server(p, site) for p in copies),
        "    option allbackups\n",
        *(_anyway(p, site) for p in copies if not is_spare(p)),
    ]
    return "".join(lines)


def _server(copy: LocalPart, site: Site) -> str:
    assert isinstance(copy.body, Process)
    rarely = " downinter 1s" if copy.body.spare_for else ""
    return f"    server {copy.name} {site.zone(copy.body.zone).private}:{copy.body.port}{rarely}\n"


def _anyway(copy: LocalPart, site: Site) -> str:
    """The same copy, unchecked, for when none is well: a slow answer is better than none.

    Without it a moment of too much work, in which every copy misses its checks, is an outage.
    """
    assert isinstance(copy.body, Process)
    address = f"{site.zone(copy.body.zone).private}:{copy.body.port}"
    return f"    server {copy.name}-anyway {address} backup no-check\n"


def _copies_of(want: Wanted, site: Site) -> Iterator[LocalPart]:
    unit = f"service/{public_service(want)}"
    return (
        p
        for p in service.Services().parts(want, site)
        if p.unit == unit and isinstance(p.body, Process)
    )


def _edge(want: Wanted, site: Site, zone: Zone, copies: list[LocalPart]) -> LocalPart:
    body = Process(
        argv=("haproxy", "-W", "-f", f"{{run}}/{CONFIG}"),
        zone=zone.name,
        user=USER,
        guest="firewall",
        groups=("firewall",),
        subnet="public",
        files={
            CONFIG: edge_config(want, site, zone, copies),
            _again.SCRIPT_NAME: _again.script(zone.sockets("firewall") / "nginx.sock"),
            **pages.files(),
            **{f"{status}.http": text for status, text in pages.errors().items()},
        },
        ready=Ready("driver", within_s=20.0),
        reload="USR2",
    )
    return part("balancer", f"edge-{zone.name}", f"balancer/{zone.name}", body, site.vault.digest)
