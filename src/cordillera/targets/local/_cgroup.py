"""CPU, memory and process limits: control groups, version 2 where the machine has it, else version 1."""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from cordillera.targets.local._site import Site

ROOT = Path("/sys/fs/cgroup")
PERIOD_US = 100_000
EMPTY_WITHIN_S = 2.0
CONTROLLERS = ("memory", "cpu", "pids")


@dataclass(frozen=True)
class Limits:
    """What one program may use; 0 is without a limit. `cpu_cores` may be a part of one."""

    memory_bytes: int = 0
    cpu_cores: float = 0.0
    processes: int = 0


def version() -> int:
    """2, 1, or 0 when this machine lets us use neither."""
    if (ROOT / "cgroup.subtree_control").exists():
        return 2
    return 1 if all((ROOT / name / "cgroup.procs").exists() for name in ("memory", "cpu")) else 0


def folders(site: Site) -> list[Path]:
    """The environment's own groups, made if they are not there; none where there are none."""
    parents = {2: [ROOT], 1: [ROOT / name for name in CONTROLLERS]}.get(version(), [])
    made = [parent / site.prefix for parent in parents if parent.is_dir()]
    try:
        for folder in made:
            folder.mkdir(exist_ok=True)
    except OSError:
        return []
    return made


def make(site: Site, name: str, limits: Limits) -> list[str]:
    """Make or adjust the groups of one program; the files to join. Empty when there are none."""
    if limits == Limits():
        return []
    makers = {2: _make_v2, 1: _make_v1}
    maker = makers.get(version())
    try:
        return maker(site.prefix, name, limits) if maker else []
    except OSError:
        return []


def remove(site: Site, name: str = "") -> None:
    """Remove the groups of one program, or all of the environment's."""
    for controller in ("", *CONTROLLERS):
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


def _make_v2(prefix: str, name: str, limits: Limits) -> list[str]:
    parent = ROOT / prefix
    folder = parent / name
    folder.mkdir(parents=True, exist_ok=True)
    for level in (ROOT, parent):
        (level / "cgroup.subtree_control").write_text("+memory +cpu +pids")
    quota = str(round(limits.cpu_cores * PERIOD_US)) if limits.cpu_cores else "max"
    (folder / "memory.max").write_text(str(limits.memory_bytes or "max"))
    (folder / "cpu.max").write_text(f"{quota} {PERIOD_US}")
    (folder / "pids.max").write_text(str(limits.processes or "max"))
    return [str(folder / "cgroup.procs")]


def _make_v1(prefix: str, name: str, limits: Limits) -> list[str]:
    memory, cpu, pids = (ROOT / controller / prefix / name for controller in CONTROLLERS)
    for folder in (memory, cpu):
        folder.mkdir(parents=True, exist_ok=True)
    quota = round(limits.cpu_cores * PERIOD_US) if limits.cpu_cores else -1
    (memory / "memory.limit_in_bytes").write_text(str(limits.memory_bytes or -1))
    (cpu / "cpu.cfs_period_us").write_text(str(PERIOD_US))
    (cpu / "cpu.cfs_quota_us").write_text(str(quota))
    joined = [memory, cpu]
    if (ROOT / "pids").is_dir():
        pids.mkdir(parents=True, exist_ok=True)
        (pids / "pids.max").write_text(str(limits.processes or "max"))
        joined.append(pids)
    return [str(folder / "cgroup.procs") for folder in joined]
