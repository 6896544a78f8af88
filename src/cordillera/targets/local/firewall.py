"""The firewall: rates and networks at the edge's HAProxy, the OWASP Core Rule Set in nginx behind it."""

import socket
from collections.abc import Iterator

from cordillera.components.firewall import FirewallSpec
from cordillera.components.protocol import Progress
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.local import _modsecurity, _nginx, objects
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import LocalPart, Parts, Process, Ready, part
from cordillera.targets.local._public import public_service
from cordillera.targets.local._site import Site, Zone

OFFER = Offered()

ADDRESSES_REMEMBERED = "100k"


class Firewall(Component):
    """One nginx with ModSecurity in the public subnet of each zone."""

    name = "firewall"

    def parts(self, want: Wanted, site: Site) -> Parts:
        if public_service(want) is None:
            return ()
        return tuple(_part(want, site, zone) for zone in site.zones)

    def ready(self, found: LocalPart, site: Site) -> Progress:
        """Up once nginx takes connections: reading the rules takes it a second."""
        zone = site.zone(found.name.removeprefix("nginx-"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1)
            try:
                probe.connect(str(zone.sockets("firewall") / "nginx.sock"))
            except OSError as e:
                return Progress(done=False, detail=f"reading its rules ({e.strerror})")
        return Progress(done=True)


def haproxy_rules(spec: FirewallSpec) -> Iterator[str]:
    """Lines of the edge's frontend: who may come, and how often. `src` is the client's address."""
    act = "deny deny_status" if spec.mode == "block" else ""
    yield (
        f"stick-table type ipv6 size {ADDRESSES_REMEMBERED} expire {spec.rate.per:.0f}s "
        f"store http_req_rate({spec.rate.per:.0f}s)"
    )
    yield "http-request track-sc0 src"
    conditions = [("429", "rate", f"if {{ sc_http_req_rate(0) gt {spec.rate.requests} }}")]
    if spec.allow:
        conditions.append(("403", "allow", f"unless {{ src {' '.join(spec.allow)} }}"))
    if spec.deny:
        conditions.append(("403", "deny", f"if {{ src {' '.join(spec.deny)} }}"))
    for status, label, condition in conditions:
        yield f"http-request set-var(txn.rule) str({label}) {condition}"
        yield (
            f"http-request {act} {status} {condition}"
            if act
            else f"http-request set-log-level warning {condition}"
        )


def _part(want: Wanted, site: Site, zone: Zone) -> LocalPart:
    body = Process(
        argv=("nginx", "-c", "{run}/nginx.conf", "-e", "stderr"),
        zone=zone.name,
        user="firewall",
        guest="edge",
        groups=("edge",),
        subnet="public",
        files={
            "nginx.conf": _nginx.config(want.edge, zone, objects.public_prefixes(want)),
            "modsecurity.conf": _modsecurity.config(want.edge.firewall, zone),
        },
        variables=_modsecurity.allocator(),
        prepare=(("rm", "-f", "{sockets}/nginx.sock", "{sockets}/missed.sock"),),
        data="nginx",
        ready=Ready("driver"),
        reload="HUP",
        stop_signal="QUIT",
        log="firewall",
    )
    return part("firewall", f"nginx-{zone.name}", f"firewall/{zone.name}", body, site.vault.digest)
