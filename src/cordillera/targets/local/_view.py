"""What a zone sees of the machine's files: a closed folder is replaced by just what programs need.

Services and servers run as users of their own, who cannot pass through a closed folder such as /root
or a private temporary folder. Where the interpreter, Cordillera or the state lies in one, the zone's
mount namespace gets an empty folder in its place with only those mounted back in.
"""

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from cordillera.targets.local._site import Site, Zone, roots

OTHERS_MAY_PASS = 0o001
HOSTS = "hosts"


def hosts(site: Site) -> str:
    """Names of the environment's own addresses, so that nobody asks a name server for them."""
    stem = site.environment.replace("/", "-")
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    for zone in site.domains:
        lines.append(f"{zone.private} {zone.name}.{stem}.internal {zone.name}")
        lines.append(f"{zone.public} {zone.name}.edge.{stem}.internal")
    return "\n".join(lines) + "\n"


def script(zone: Zone) -> str:
    """Shell commands for the zone's first process, run before anything else; may be empty."""
    closed: dict[Path, list[Path]] = {}
    for path in _outermost(_needed()):
        barrier = _barrier(path)
        if barrier is not None and barrier != path:
            closed.setdefault(barrier, []).append(path)
    names = f"mount --bind {_q(zone.run / HOSTS)} /etc/hosts || exit 125\n"
    return "".join(_open(barrier, paths, zone) for barrier, paths in closed.items()) + names


def _needed() -> list[Path]:
    package = Path(__file__).parents[3]
    state, run = roots()
    found = [Path(sys.prefix), Path(sys.base_prefix), package, state, run]
    return [path.resolve() for path in found if path.exists()]


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """Without those that lie in another one."""
    unique = sorted(set(paths))
    return [p for p in unique if not any(o != p and p.is_relative_to(o) for o in unique)]


def _barrier(path: Path) -> Path | None:
    """The first folder on the way that others may not pass."""
    way = [*reversed(path.parents), path]
    return next((p for p in way if not p.stat().st_mode & OTHERS_MAY_PASS), None)


def _open(barrier: Path, paths: list[Path], zone: Zone) -> str:
    """Keep the needed folders at hand, cover the barrier, put them back in their places."""
    stem = "/run/.stage" + str(zone.run).replace("/", "-")
    stages = [Path(f"{stem}-{n}") for n in range(len(paths))]
    lines = []
    for path, stage in zip(paths, stages, strict=True):
        lines += [f"mkdir -p {_q(stage)}", f"mount --rbind {_q(path)} {_q(stage)}"]
    lines.append(f"mount -t tmpfs -o mode=755,size=1m tmpfs {_q(barrier)}")
    for path, stage in zip(paths, stages, strict=True):
        lines += [
            f"mkdir -p {_q(path)}",
            f"mount --move {_q(stage)} {_q(path)}",
            f"rmdir {_q(stage)}",
        ]
    return "".join(f"{line} || exit 125\n" for line in lines)


def _q(path: Path) -> str:
    return shlex.quote(str(path))
