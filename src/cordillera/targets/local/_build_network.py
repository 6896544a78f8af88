"""The network of one build: a way out to web and name servers, by slirp4netns; no environment, no loopback.

slirp4netns speaks for the namespace from the machine's own network, so the machine need not route anything;
packet rules in the namespace say where to. Why is in docs/decisions/0019-sandbox.md.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cordillera.core import files, process
from cordillera.core.errors import CommandFailed, NotReady
from cordillera.targets.local import _firewall_rules as rules
from cordillera.targets.local._net import NETNS_FOLDER
from cordillera.targets.local._site import Site

TIMEOUT_S, JOINED_WITHIN_S = 10.0, 10.0
RESOLVER = "10.0.2.3"
"""Where slirp4netns passes questions on to the machine's own name servers."""
DEVICE = "tap0"
ENVIRONMENTS = "10.64.0.0-10.249.255.255"
METADATA = "169.254.0.0/16"
"""Where a cloud tells a machine its own credentials."""
RULES = """\
table inet cordillera {{
  chain input {{
    type filter hook input priority 0; policy drop;
    iifname "lo" accept
    ct state established,related accept
  }}
  chain output {{
    type filter hook output priority 0; policy drop;
    oifname "lo" accept
    ct state established,related accept
    ip daddr {resolver} udp dport 53 accept
    ip daddr {resolver} tcp dport 53 accept
    ip daddr {{ {closed} }} drop
    tcp dport {{ 80, 443 }} accept
  }}
}}
"""


@contextmanager
def joined(site: Site, release: str, log: Path) -> Iterator[None]:
    """The namespace of a release's build, joined to the outside for the block.

    Raises NotReady, CommandFailed.
    Nothing is made where the environment has no networks of its own.
    """
    if not site.namespaced:
        yield
        return
    name = site.build_netns(release)
    _remove(name)
    _run("ip", "netns", "add", name)
    try:
        _run("ip", "-netns", name, "link", "set", "lo", "up")
        rules.load(name, RULES.format(resolver=RESOLVER, closed=", ".join(closed())))
        with process.beside(_slirp(name), log=log.with_name("build-network.log")):
            _wait(name)
            yield
    finally:
        _remove(name)


def resolvers(site: Site) -> list[str]:
    """What bubblewrap is told, so that names are asked of slirp4netns."""
    path = site.run / "build.resolvers"
    files.write(path, f"nameserver {RESOLVER}\n")
    return ["--ro-bind", str(path), str(Path("/etc/resolv.conf").resolve())]


def closed() -> list[str]:
    """Where no build may connect to: environments, and this machine by any address of its own."""
    rows = json.loads(_run("ip", "-json", "-4", "address", "show"))
    own = {str(one["local"]) for row in rows for one in row.get("addr_info", ()) if "local" in one}
    outside = (a for a in own if not 64 <= int(a.split(".")[1]) <= 249 or not a.startswith("10."))
    return [ENVIRONMENTS, METADATA, *sorted(a for a in outside if not a.startswith("127."))]


def _slirp(name: str) -> list[str]:
    """Its sandbox unmounts what it sees: in mounts of its own that touches nobody."""
    words = ["--configure", "--mtu=65520", "--disable-host-loopback", "--enable-sandbox"]
    where = ["--netns-type=path", str(NETNS_FOLDER / name), DEVICE]
    return ["unshare", "--mount", "--propagation", "private", "slirp4netns", *words, *where]


def _wait(name: str) -> None:
    deadline = time.monotonic() + JOINED_WITHIN_S
    while f'"{DEVICE}"' not in _run("ip", "-json", "-netns", name, "route"):
        if time.monotonic() > deadline:
            raise NotReady(f"{name} was not joined to the outside in {JOINED_WITHIN_S:.0f} s")
        time.sleep(0.05)


def _remove(name: str) -> None:
    if (NETNS_FOLDER / name).exists():
        _run("ip", "netns", "delete", name)


def _run(*argv: str) -> str:
    try:
        return process.run(argv, timeout_s=TIMEOUT_S)
    except CommandFailed as e:
        raise CommandFailed(f"the network of a build: {e}", hint="run `cordillera doctor`") from e
