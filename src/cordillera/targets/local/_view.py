"""What a zone sees of the machine's files: its own /tmp, and of a closed folder just what is needed.

Services and servers run as users of their own, who cannot pass through a closed folder such as /root
or a private temporary folder. Where the interpreter, Cordillera or the state lies in one, the zone's
mount namespace gets an empty folder in its place with only those mounted back in.
"""

import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from cordillera.targets.local._site import Site, Zone, roots

OTHERS_MAY_PASS = 0o001
HOSTS = "hosts"
RESOLVERS = Path("/etc/resolv.conf")
REAL_RESOLVERS = Path("/run/systemd/resolve/resolv.conf")
TMP = Path("/tmp")  # noqa: S108  (replaced, not used)


def hosts(site: Site) -> str:
    """Names of the environment's own addresses, so that nobody asks a name server for them."""
    stem = site.environment.replace("/", "-")
    lines = ["127.0.0.1 localhost", "::1 localhost", f"127.0.1.1 {os.uname().nodename}"]
    for zone in site.domains:
        lines.append(f"{zone.private} {zone.name}.{stem}.internal {zone.name}")
        lines.append(f"{zone.public} {zone.name}.edge.{stem}.internal")
    return "\n".join(lines) + "\n"


def script(zone: Zone) -> str:
    """Shell commands for the zone's first process, run before anything else; may be empty."""
    needed = _outermost(_needed())
    inside = [path for path in needed if path.is_relative_to(TMP)]
    closed: dict[Path, list[Path]] = {}
    for path in needed:
        barrier = _barrier(path)
        if barrier is not None and barrier != path and path not in inside:
            closed.setdefault(barrier, []).append(path)
    empty = "mount -t tmpfs -o mode=755,size=1m tmpfs"
    own = _q(zone.state / "tmp")
    lines = [f"find {own} -mindepth 1 -delete", *_open(TMP, inside, f"mount --bind {own}", zone)]
    for barrier, paths in closed.items():
        lines += _open(barrier, paths, empty, zone)
    lines.append(f"mount --bind {_q(zone.run / HOSTS)} /etc/hosts")
    if _asks_itself():
        lines.append(f"mount --bind {REAL_RESOLVERS} /etc/resolv.conf")
    return "".join(f"{line} || exit 125\n" for line in lines)


def _asks_itself() -> bool:
    """Whether names are asked of this machine's own loopback, which a zone does not reach."""
    if not (REAL_RESOLVERS.exists() and RESOLVERS.exists()):
        return False
    asked = [
        line.split()[1]
        for line in RESOLVERS.read_text().splitlines()
        if line.startswith("nameserver ")
    ]
    return bool(asked) and all(address.startswith("127.") for address in asked)


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


def _open(folder: Path, paths: list[Path], cover: str, zone: Zone) -> Iterator[str]:
    """Keep the needed paths at hand, `cover` the folder, put them back in their places."""
    stem = "/run/.stage" + str(zone.run).replace("/", "-")
    stages = {path: Path(f"{stem}-{n}") for n, path in enumerate(paths)}
    for path, stage in stages.items():
        yield f"mkdir -p {_q(stage)}"
        yield f"mount --rbind {_q(path)} {_q(stage)}"
    yield f"{cover} {_q(folder)}"
    for path, stage in stages.items():
        yield f"mkdir -p {_q(path)}"
        yield f"mount --move {_q(stage)} {_q(path)}"
        yield f"rmdir {_q(stage)}"


def _q(path: Path) -> str:
    return shlex.quote(str(path))
