"""What bubblewrap is told: zones and builds see the machine's programs, what is theirs, and nothing else.

Folders are given, never taken away: another environment, a home or a secret of the machine is not there. Why
bubblewrap, and what the shim adds for each program, is in docs/decisions/0019-sandbox.md.
"""

import sys
from collections.abc import Iterator
from functools import cache as remembered
from pathlib import Path

from cordillera.core import process
from cordillera.core.errors import CordilleraError
from cordillera.targets.local import _cgroup, _net
from cordillera.targets.local._site import Site, Zone

TRIAL_TIMEOUT_S = 5.0
LINKED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
SHARED = ("/etc", "/opt")
KERNEL = ("/sys/devices/system", "/sys/kernel/mm/transparent_hugepage")
"""Programs ask it for the number of processors, and whether to avoid large pages."""
TMP_BYTES, SHARED_MEMORY_BYTES = 256 << 20, 64 << 20
RESOLVERS, HOSTS = "resolv.conf", "hosts"
NETNS = "private", "public"


def zone(site: Site, at: Zone) -> list[str]:
    """The command that a zone's first process is started by; empty where users may have no namespaces."""
    if not possible():
        return []
    inside = ["nsenter", f"--net={_net.NETNS_FOLDER / site.netns(at, 'private')}"]
    entered = inside if site.namespaced and not at.outside else []
    own = [*names(at), *both("--bind", at.state, at.run), *both("--ro-bind", site.builds)]
    return [*entered, "bwrap", *machine(), *own, *_privileged(site, at), "--as-pid-1", "--"]


def machine() -> list[str]:
    """The machine's programs and their settings, read-only; memory of one's own for what is temporary."""
    return [
        "--ro-bind", "/usr", "/usr", *_linked(), *both("--ro-bind", *map(Path, SHARED)),
        "--proc", "/proc", "--dev", "/dev", *_memory("/dev/shm", SHARED_MEMORY_BYTES),
        "--tmpfs", "/run", "--dir", "/var/lib", *_memory("/tmp", TMP_BYTES),
        *_memory("/var/tmp", TMP_BYTES), *both("--ro-bind", *map(Path, KERNEL)),
        *both("--ro-bind", *python()), "--unshare-pid", "--unshare-ipc",
    ]  # fmt: skip


def python() -> list[Path]:
    """Where our own Python and product lie, unless that is among the machine's programs."""
    found = {Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[3]}
    return sorted(p.resolve() for p in found if not p.resolve().is_relative_to("/usr"))


def _memory(path: str, size_bytes: int) -> list[str]:
    return ["--perms", "1777", "--size", str(size_bytes), "--tmpfs", path]


def _linked() -> Iterator[str]:
    """`/bin` and its like: links into /usr, or folders on older machines."""
    for path in (Path("/", name) for name in LINKED):
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))


def both(how: str, *paths: Path) -> Iterator[str]:
    """Each path in its own place, of those that are there, in folders that anybody may pass."""
    for path in paths:
        if path.exists():
            for parent in reversed(path.parents[:-1]):
                yield from ("--perms", "755", "--dir", str(parent))
            yield from (how, str(path), str(path))


def names(at: Zone) -> Iterator[str]:
    """Names and name servers, as the zone has them."""
    for name in (HOSTS, RESOLVERS):
        target = Path("/etc", name).resolve()
        if (at.run / name).exists():
            yield from ("--ro-bind", str(at.run / name), str(target))


def _privileged(site: Site, at: Zone) -> Iterator[str]:
    """What root needs in a zone to have a program enter its limits and its subnet."""
    if not process.is_root():
        return
    yield from both("--bind", *_cgroup.folders(site))
    if site.namespaced and not at.outside:
        yield from both("--bind", *(_net.NETNS_FOLDER / site.netns(at, s) for s in NETNS))


@remembered
def possible() -> bool:
    """Whether this machine lets us have namespaces: root always, others where the kernel says so."""
    try:
        process.run(["bwrap", *machine(), "--", "true"], timeout_s=TRIAL_TIMEOUT_S)
    except CordilleraError:
        if process.is_root():
            raise
        return False
    return True
