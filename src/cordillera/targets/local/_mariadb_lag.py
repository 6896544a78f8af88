"""How far a MariaDB replica is behind: transactions to apply, or megabytes of a copy that is being made."""

from collections.abc import Iterator
from pathlib import Path

from cordillera.targets.local import _mariadb_ask as asking
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local._mariadb_ask import Server
from cordillera.targets.local._site import Site, Zone

WORTH_TELLING = 200
"""Transactions: a replica that works is always a few behind."""
COPYING = "copying"
"""Where a keeper puts a copy of the writer's data while it arrives."""


def behind(site: Site) -> Iterator[tuple[str, tuple[float, str]]]:
    """(zone, (how much, of what)) for every server that is not level with the writer."""
    found = asking.survey(site)
    writer = next((s for s in found if s.writable), None)
    if writer is None:
        return
    for server in found:
        left = _copy_left(site.zone(writer.zone), site.zone(server.zone))
        if server is not writer and left:
            yield server.zone, (left, "MB of a fresh copy")
        elif server.answers and (missing := _missing(writer, server)) > WORTH_TELLING:
            yield server.zone, (missing, "transactions")


def _missing(writer: Server, server: Server) -> int:
    return asking.behind(writer.known, server.known)


def _copy_left(writer: Zone, zone: Zone) -> float:
    """Megabytes that a copy still lacks; 0 when none is being made."""
    arriving = zone.state / config.DATA / COPYING
    if not arriving.exists():
        return 0.0
    whole = _megabytes(writer.state / config.DATA / "mysql")
    return max(0.1, whole - _megabytes(arriving))


def _megabytes(folder: Path) -> float:
    sizes = (path.stat().st_size for path in folder.rglob("*") if path.is_file())
    try:
        return sum(sizes) / 2**20
    except OSError:  # files come and go while we look
        return 0.0
