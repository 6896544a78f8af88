"""CPU and memory limits: control groups, version 2 where the machine has it, else version 1."""

import contextlib
import time
from pathlib import Path

from cordillera.targets.local._site import Site

ROOT = Path("/sys/fs/cgroup")
PERIOD_US = 100_000
EMPTY_WITHIN_S = 2.0


def version() -> int:
    """2, 1, or 0 when this machine lets us use neither."""
    if (ROOT / "cgroup.subtree_control").exists():
        return 2
    return (
        1 if (ROOT / "memory/cgroup.procs").exists() and (ROOT / "cpu/cgroup.procs").exists() else 0
    )


def make(site: Site, name: str, *, memory_bytes: int, cpu_cores: float) -> list[str]:
    """Make or adjust the groups of one program; the files to join. Empty when there are none."""
    if not (memory_bytes or cpu_cores):
        return []
    makers = {2: _make_v2, 1: _make_v1}
    maker = makers.get(version())
    try:
        return maker(site.prefix, name, memory_bytes, cpu_cores) if maker else []
    except OSError:
        return []


def remove(site: Site, name: str = "") -> None:
    """Remove the groups of one program, or all of the environment's."""
    for controller in ("", "memory", "cpu"):
        folder = ROOT / controller / site.prefix / name
        if not folder.is_dir():
            continue
        for inner in sorted(folder.rglob("*"), reverse=True):
            if inner.is_dir():
                _remove_folder(inner)
        _remove_folder(folder)


def _remove_folder(folder: Path) -> None:
    """A group whose last process just died stays busy for a moment."""
    deadline = time.monotonic() + EMPTY_WITHIN_S
    while folder.is_dir() and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            folder.rmdir()
            return
        time.sleep(0.02)


def _make_v2(prefix: str, name: str, memory_bytes: int, cpu_cores: float) -> list[str]:
    parent = ROOT / prefix
    folder = parent / name
    folder.mkdir(parents=True, exist_ok=True)
    for level in (ROOT, parent):
        (level / "cgroup.subtree_control").write_text("+memory +cpu")
    (folder / "memory.max").write_text(str(memory_bytes) if memory_bytes else "max")
    quota = str(round(cpu_cores * PERIOD_US)) if cpu_cores else "max"
    (folder / "cpu.max").write_text(f"{quota} {PERIOD_US}")
    return [str(folder / "cgroup.procs")]


def _make_v1(prefix: str, name: str, memory_bytes: int, cpu_cores: float) -> list[str]:
    memory, cpu = ROOT / "memory" / prefix / name, ROOT / "cpu" / prefix / name
    memory.mkdir(parents=True, exist_ok=True)
    cpu.mkdir(parents=True, exist_ok=True)
    (memory / "memory.limit_in_bytes").write_text(str(memory_bytes or -1))
    (cpu / "cpu.cfs_period_us").write_text(str(PERIOD_US))
    (cpu / "cpu.cfs_quota_us").write_text(str(round(cpu_cores * PERIOD_US) if cpu_cores else -1))
    return [str(memory / "cgroup.procs"), str(cpu / "cgroup.procs")]
