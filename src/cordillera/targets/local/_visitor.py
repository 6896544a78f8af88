"""What the front does to every request before anything is decided: one path, one host, no word of ours.

A path is brought into one spelling and handed to everybody like that, or refused.
See docs/decisions/0020-edge-doors.md.
"""

from collections.abc import Iterator, Sequence

from cordillera.components.visitor import ODD_PATH, OWN_HEADERS, OWN_PREFIXES
from cordillera.components.wanted import Wanted
from cordillera.targets.local._site import Site

BAD_REQUEST, MISDIRECTED = 400, 421
HERE = ("localhost", "127.0.0.1")
NORMALISED = ("fragment-strip", "percent-decode-unreserved", "path-merge-slashes")

PATHS = (
    *(f"http-request normalize-uri {how}" for how in NORMALISED),
    f"http-request deny deny_status {BAD_REQUEST} if {{ path -m reg -i '{ODD_PATH}' }}",
)

ODD_VALUE = r"[^A-Za-z0-9 .,:;=\[\]_/?&%@+\"-]|[.][.]|%00"
FORWARDED = ("For", "Host", "Port", "Proto")
REPLACED = (*OWN_HEADERS, *(f"X-Forwarded-{name}" for name in FORWARDED))

REFUSED = (
    f"http-request deny deny_status {BAD_REQUEST} if {{ fc_http_major 1 }} !{{ req.ver 1.0 1.1 }}",
    f"http-request deny deny_status {BAD_REQUEST} if {{ req.hdr(Proxy) -m found }}",
    *(
        f"http-request deny deny_status {BAD_REQUEST} if {{ req.hdr({name}) -m reg '{ODD_VALUE}' }}"
        for name in REPLACED
    ),
)
"""What is replaced or removed never meets the firewall's rules, so what is no plain value is refused."""

UPGRADES = (
    "http-request set-var(txn.websocket) bool(true) if { req.fhdr(Upgrade) -m str -i websocket }",
    "http-request del-header Upgrade",
    "http-request del-header HTTP2-Settings",
    "http-request del-header Connection",
    "http-request set-header Upgrade websocket if { var(txn.websocket) -m bool }",
    "http-request set-header Connection upgrade if { var(txn.websocket) -m bool }",
)
"""Any other protocol is a tunnel that no rule looks into; `Connection` names headers to drop."""


def rules(want: Wanted, site: Site) -> Iterator[str]:
    """Lines of the front's frontend, in their order. Pure."""
    yield from PATHS
    yield from _hosts(want.edge.domains, site)
    yield from REFUSED
    yield from UPGRADES
    yield from (f"http-request del-header {prefix} -m beg" for prefix in OWN_PREFIXES)
    yield from (f"http-request del-header {name}" for name in OWN_HEADERS)
    yield "http-request set-header X-Forwarded-Proto https"


def own_hosts(environment: str, site: Site) -> list[str]:
    """What it is called on this machine, beside its domains."""
    customer, _, stage = environment.partition("/")
    listen = site.listen.rpartition(":")[0]
    found = [*HERE, f"{stage}.{customer}.localhost"]
    return found if listen in ("0.0.0.0", "127.0.0.1", "") else [*found, listen]


def _hosts(domains: Sequence[str], site: Site) -> Iterator[str]:
    """Nothing without domains. The machine itself may use its own names: that is how `status` asks."""
    if not domains:
        return
    host = "req.hdr(host),host_only,lower"
    own = own_hosts(site.environment, site)
    here = " ".join(("127.0.0.0/8", *own[len(HERE) + 1 :]))
    named = [domain for domain in domains if not domain.startswith("*.")]
    under = [domain.removeprefix("*") for domain in domains if domain.startswith("*.")]
    if named:
        yield f"acl ours {host} -m str {' '.join(named)}"
    if under:
        yield f"acl ours {host} -m end {' '.join(under)}"
    yield f"acl local {host} -m str {' '.join(own)}"
    yield f"acl here src {here}"
    yield f"http-request deny deny_status {MISDIRECTED} if !ours !local or !ours !here"
