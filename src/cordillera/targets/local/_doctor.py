"""What this machine has and lacks for the target `local`, with the command that mends it."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cordillera.components.target import Finding
from cordillera.core import process
from cordillera.targets.local import _cgroup, _image, programs
from cordillera.targets.local._site import roots

LEAST_DISK_BYTES = 4 << 30
LEAST_MEMORY_BYTES = 3 << 30


def findings() -> Sequence[Finding]:
    """Programs first, then what the machine itself offers."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        return [*pool.map(_program, programs.PROGRAMS), *_machine()]


def _program(program: programs.Program) -> Finding:
    needed = bool(program.needed_by) and (process.is_root() or not program.root_only)
    place = programs.present(program)
    purpose = f"for {', '.join(program.needed_by)}" if program.needed_by else "makes it faster"
    if place is None:
        remedy = programs.remedy([program])
        return Finding(program.name, "missing" if needed else "weaker", purpose, remedy, needed)
    found = programs.version(program)
    if found is not None and found < program.least:
        least = ".".join(map(str, program.least))
        detail = f"{'.'.join(map(str, found))} is older than {least}, {purpose}"
        return Finding(program.name, "too old", detail, programs.remedy([program]), needed)
    shown = ".".join(map(str, found)) if found else "found"
    return Finding(program.name, "ok", f"{shown}, {purpose}", "", needed)


def _machine() -> Iterator[Finding]:
    yield _root()
    yield _limits()
    yield _amount(
        "disk",
        shutil.disk_usage(_existing(roots()[0])).free,
        LEAST_DISK_BYTES,
        f"free some space at {roots()[0]}",
    )
    yield _amount("memory", _memory_bytes(), LEAST_MEMORY_BYTES, "give the machine more memory")
    yield _systemd()
    yield _engine()


def _root() -> Finding:
    if process.is_root():
        return Finding(
            "isolation", "ok", "root: every environment gets networks of its own", "", False
        )
    detail = "no root: only loopback addresses keep environments apart, mail is captured only"
    return Finding("isolation", "weaker", detail, f"sudo {sys.argv[0]} ...", False)


def _limits() -> Finding:
    if process.is_root() and _cgroup.version():
        return Finding("limits", "ok", "control groups: cpu and memory limits hold", "", False)
    detail = "no control groups that we may write: cpu and memory limits are not enforced"
    return Finding("limits", "weaker", detail, "run as root", False)


def _systemd() -> Finding:
    if Path("/run/systemd/system").is_dir():
        return Finding(
            "boot", "ok", "systemd: `cordillera boot enable` brings environments back", "", False
        )
    detail = "no systemd: environments do not come back by themselves after a reboot"
    return Finding("boot", "weaker", detail, "have your init run `cordillera boot start`", False)


def _engine() -> Finding:
    found = _image.engine()
    if found:
        return Finding(
            "container engine", "ok", f"{found}, for `image:` and Dockerfiles", "", False
        )
    detail = "neither Docker nor Podman answers: `image:` and Dockerfiles are refused"
    return Finding("container engine", "weaker", detail, "apt-get install podman", False)


def _amount(name: str, found: int, least: int, remedy: str) -> Finding:
    shown = f"{found / 2**30:.1f} GB"
    if found >= least:
        return Finding(name, "ok", shown, "", False)
    return Finding(name, "weaker", f"{shown}; the newsroom wants {least >> 30} GB", remedy, False)


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _existing(path: Path) -> Path:
    return next(p for p in (path, *path.parents) if p.exists())
