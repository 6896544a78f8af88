"""Packet rules of an environment: what may talk to what. Default drop, loaded and read back."""

from collections.abc import Iterator

from cordillera.core import process
from cordillera.core.errors import CommandFailed, CordilleraError
from cordillera.targets.local import _hosts, _weed
from cordillera.targets.local._net import NETNS_FOLDER
from cordillera.targets.local._site import APP_PORTS, Site

EDGE_PORT = 8080
TABLE = "cordillera"
COMMAND_TIMEOUT_S = 10.0

ROUTER = """\
table inet cordillera {{
  chain forward {{
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "{up}" ip daddr {{ {publics} }} tcp dport {edge} accept
    ip saddr {{ {publics} }} ip daddr {{ {privates} }} tcp dport {{ {objects}, {apps} }} accept
    ip saddr {{ {privates} }} ip daddr {{ {privates} }} accept
    ip saddr {{ {privates} }} oifname "{up}" accept
  }}
  chain input {{
    type filter hook input priority 0; policy drop;
    iifname "lo" accept
    ct state established,related accept
    icmp type echo-request accept
  }}
}}
"""

PRIVATE = """\
table inet cordillera {{
  chain input {{
    type filter hook input priority 0; policy drop;
    iifname "lo" accept
    ct state established,related accept
    icmp type echo-request accept
    ip saddr {{ {privates} }} accept
    ip saddr {{ {publics} }} tcp dport {{ {objects}, {apps} }} accept
  }}
}}
"""

PUBLIC = """\
table inet cordillera {{
  chain input {{
    type filter hook input priority 0; policy drop;
    iifname "lo" accept
    ct state established,related accept
    icmp type echo-request accept
    ip saddr {host} tcp dport {edge} accept
  }}
}}
"""

HOST = """\
table inet {table} {{
  chain input {{
    type filter hook input priority -5; policy accept;
    iifname "{uplink}" ct state established,related accept
    iifname "{uplink}" drop
  }}
  chain forward {{
    type filter hook forward priority -5; policy accept;
    iifname "{uplink}" ip daddr 169.254.0.0/16 drop
{resolvers}    iifname "{uplink}" ip daddr 10.0.0.0/8 ct state new drop
    oifname "{uplink}" ct state established,related accept
    oifname "{uplink}" drop
  }}
  chain egress {{
    type nat hook postrouting priority 100; policy accept;
    ip saddr {network} oifname != "{uplink}" masquerade
  }}
}}
"""
"""169.254.0.0/16 is where a cloud tells a machine its own credentials."""

RESOLVER = """\
    iifname "{uplink}" ip daddr {address} udp dport 53 accept
    iifname "{uplink}" ip daddr {address} tcp dport 53 accept
"""


def by_netns(site: Site) -> Iterator[tuple[str, str]]:
    """(namespace, rules); the machine's own namespace is the empty name."""
    values = _values(site)
    yield "", HOST.format(**values)
    yield f"{site.prefix}-router", ROUTER.format(**values)
    for zone in site.domains:
        yield site.netns(zone, "private"), PRIVATE.format(**values)
    for zone in site.zones:
        yield site.netns(zone, "public"), PUBLIC.format(**values)


def everything(site: Site) -> Iterator[str]:
    """All rules, for a fingerprint."""
    return (text for _, text in by_netns(site))


def load(netns: str, text: str) -> None:
    """Replace our table by `text` and read it back. Raises CordilleraError on any difference."""
    table = _table_name(text)
    fresh = f"table inet {table}\ndelete table inet {table}\n{text}"
    _nft(netns, "-f", "-", stdin=fresh)
    if not loaded(netns, text):
        raise CordilleraError(
            f"the packet rules of {netns or 'this machine'} did not load as written",
            hint="run `cordillera doctor`; nothing was connected",
        )


def loaded(netns: str, text: str) -> bool:
    """Whether exactly these rules are in force."""
    table = _table_name(text)
    try:
        found = _nft(netns, "list", "table", "inet", table)
    except CommandFailed:
        return False
    return _canonical(found) == _canonical(text)


def unload_host(site: Site) -> None:
    """Take our rules out of the machine's own namespace."""
    unload("", f"{TABLE}_{site.number}")


def unload(netns: str, table: str) -> None:
    """Take a table out of a namespace. May be called twice."""
    _nft(netns, "-f", "-", stdin=f"table inet {table}\ndelete table inet {table}\n")


def _values(site: Site) -> dict[str, object]:
    uplink = f"{site.prefix}host"
    asked = [a for a in _hosts.addresses(_hosts.resolvers()) if a.startswith("10.")]
    return {
        "resolvers": "".join(RESOLVER.format(uplink=uplink, address=a) for a in asked),
        "up": f"{site.prefix}up",
        "uplink": uplink,
        "table": f"{TABLE}_{site.number}",
        "host": f"10.{site.number}.0.1",
        "network": f"10.{site.number}.0.0/16",
        "privates": ", ".join(z.private for z in site.domains),
        "publics": ", ".join(z.public for z in site.zones),
        "edge": EDGE_PORT,
        "apps": f"{APP_PORTS[0]}-{APP_PORTS[-1]}",
        "objects": _weed.ENDPOINT_PORT,
    }


def _table_name(text: str) -> str:
    return text.split()[2]


def _canonical(text: str) -> list[str]:
    """Lines without the spelling that `nft list` may choose: spaces, and names for numbers."""
    plain = text.replace("priority filter - ", "priority -").replace(
        "priority filter", "priority 0"
    )
    plain = plain.replace("priority srcnat", "priority 100").replace("established,related", "E")
    plain = plain.replace("related,established", "E")
    return [" ".join(line.split()) for line in plain.splitlines() if line.strip()]


def _nft(netns: str, *words: str, stdin: str = "") -> str:
    within = ["nsenter", f"--net={NETNS_FOLDER / netns}"] if netns else []
    return process.run([*within, "nft", *words], timeout_s=COMMAND_TIMEOUT_S, stdin=stdin)
