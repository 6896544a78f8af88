"""Names that a zone knows: the environment's own addresses, and the name servers that it can reach."""

import os
from pathlib import Path

from cordillera.targets.local._site import Site

RESOLVERS = Path("/etc/resolv.conf")
REAL_RESOLVERS = Path("/run/systemd/resolve/resolv.conf")


def hosts(site: Site) -> str:
    """The environment's own addresses, so that nobody asks a name server for them."""
    stem = site.environment.replace("/", "-")
    lines = ["127.0.0.1 localhost", "::1 localhost", f"127.0.1.1 {os.uname().nodename}"]
    for zone in site.domains:
        lines.append(f"{zone.private} {zone.name}.{stem}.internal {zone.name}")
        lines.append(f"{zone.public} {zone.name}.edge.{stem}.internal")
    return "\n".join(lines) + "\n"


def resolvers() -> str:
    """The name servers: the machine's own, unless it asks its loopback, which zones do not reach."""
    text = _read(RESOLVERS)
    real = _read(REAL_RESOLVERS)
    return real if real and all(a.startswith("127.") for a in addresses(text)) else text


def addresses(text: str) -> list[str]:
    """The addresses in a resolv.conf. Pure."""
    words = (line.split() for line in text.splitlines())
    return [line[1] for line in words if len(line) > 1 and line[0] == "nameserver"]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
