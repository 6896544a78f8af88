"""Which network number, published address and folders an environment gets on this machine."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cordillera.components.wanted import Wanted
from cordillera.core import files, lock, process
from cordillera.core.errors import CordilleraError, NotReady
from cordillera.targets.local import _address, _found, _intent, _loopback, _release
from cordillera.targets.local._intent import Intent
from cordillera.targets.local._site import FRONT, Isolation, Site, roots

NUMBERS = range(64, 250)
COMMAND_TIMEOUT_S = 5.0
RUN_BYTES = 64 << 20


def settle(want: Wanted, old: Intent | None, *, listen: str) -> Intent:
    """The environment's intent with place and address decided. Touches nothing.

    Raises CordilleraError when the published address is taken by somebody else.
    """
    intent = old or Intent(
        environment=want.environment,
        number=_free_number(want.environment),
        isolation=isolation(),
        listen="",
    )
    if old is not None and not _mine(intent):
        intent = replace(intent, number=_free_number(want.environment))
    wanted = _address.parsed(listen) if listen else intent.listen
    if wanted and (wanted == intent.listen and _front_runs(want.environment)):
        return intent
    if not wanted:
        others = {other["listen"] for other in _neighbours(_intent.folder(want.environment))}
        return replace(intent, listen=_address.free(others))
    _address.refuse_taken(wanted, want.environment)
    return replace(intent, listen=wanted)


def isolation() -> Isolation:
    """The strongest that this machine lets us have. CORDILLERA_ISOLATION=loopback asks for less."""
    if process.is_root() and os.environ.get("CORDILLERA_ISOLATION") != Isolation.LOOPBACK:
        return Isolation.NAMESPACES
    return Isolation.LOOPBACK


def claim(site: Site, intent: Intent) -> None:
    """Take network number and published address, and remember them. Raises NotReady when one was just taken.

    Of two environments that start at once, on this machine and whosever they are, one comes first.
    """
    folder = _claims()
    with lock.queued(folder / "lock"):
        path = folder / str(site.number)
        if path.exists() and path.read_text() != str(site.state) and _alive(path):
            raise NotReady(
                f"network number {site.number} was just taken", hint="repeat the command"
            )
        _refuse_a_neighbours(site)
        files.write(path, str(site.state))
        _make_folders(site)
        _intent.save(intent)


def _refuse_a_neighbours(site: Site) -> None:
    """Raises NotReady when another environment that is not stopped has the same published address."""
    for other in _neighbours(site.state):
        if other["listen"] == site.listen and not other["stopped"]:
            raise NotReady(
                f"{site.environment}: {site.listen} belongs to {other['environment']}",
                hint=f"repeat the command, or {_address.ANOTHER}",
            )


def _neighbours(mine: Path) -> Iterator[dict[str, Any]]:
    """What other environments on this machine remember, those of other CORDILLERA_HOMEs too."""
    states = {_intent.folder(name) for name in _intent.environments()}
    for claimed in _claims().glob("[0-9]*"):
        with contextlib.suppress(OSError):
            states.add(Path(claimed.read_text()))
    for state in states - {mine}:
        with contextlib.suppress(OSError, ValueError):
            memory = json.loads((state / "intent.json").read_text())
            yield {"environment": str(state), "listen": "", "stopped": False, **memory}


def _make_folders(site: Site) -> None:
    for directory in (site.state.parent.parent, site.state.parent, site.state, site.run):
        files.make_folder(directory)
    _keep_in_memory(site.run)
    for directory in (site.state / "zones", site.state / "logs", site.builds):
        files.make_folder(directory)


def _keep_in_memory(folder: Path) -> None:
    """What lies there holds secrets: where the machine's /run is a disk, a file system in memory is ours.

    Without root no file system may be mounted, and the folder is what XDG_RUNTIME_DIR offers.
    """
    if not process.is_root() or _file_system(folder) == "tmpfs":
        return
    options = f"mode=711,size={RUN_BYTES},nosuid,nodev"
    process.run(
        ["mount", "-t", "tmpfs", "-o", options, "cordillera", str(folder)],
        timeout_s=COMMAND_TIMEOUT_S,
    )


def _file_system(folder: Path) -> str:
    words = ["stat", "--file-system", "--format=%T", str(folder)]
    return process.run(words, timeout_s=COMMAND_TIMEOUT_S).strip()


def forget_running(site: Site) -> None:
    """Remove what need not survive: sockets, rendered configuration with its secrets."""
    if process.is_root() and site.run.is_mount():
        process.run(["umount", "--lazy", str(site.run)], timeout_s=COMMAND_TIMEOUT_S)
    shutil.rmtree(site.run, ignore_errors=True)


def erase(site: Site) -> None:
    """Remove every file of the environment, and of the last one also what they shared."""
    forget_running(site)
    for build in site.builds.glob("*/"):
        _release.drop(build)
    shutil.rmtree(site.state, ignore_errors=True)
    (_claims() / str(site.number)).unlink(missing_ok=True)
    state, run = roots()
    with contextlib.suppress(OSError):
        site.state.parent.rmdir()
    if not _intent.environments():
        for shared in (".builds", ".cache"):  # of versions that shared them
            shutil.rmtree(state / shared, ignore_errors=True)
        for path in (state / "locks", run, _claims(), state):
            _remove_if_bare(path)


def _remove_if_bare(path: Path) -> None:
    """Remove a folder that holds nothing but lock files."""
    if path.is_dir() and all(f.name.endswith("lock") for f in path.iterdir()):
        shutil.rmtree(path, ignore_errors=True)


def _claims() -> Path:
    if process.is_root():
        return Path("/run/cordillera-networks")
    run = os.environ.get("XDG_RUNTIME_DIR")
    return Path(run) / "networks" if run else Path(f"/tmp/cordillera-{os.getuid()}")  # noqa: S108


def _mine(intent: Intent) -> bool:
    path = _claims() / str(intent.number)
    if intent.isolation is Isolation.LOOPBACK and intent.number in _loopback.others():
        return False
    if path.exists():
        return path.read_text() == str(_intent.folder(intent.environment)) or not _alive(path)
    return intent.number not in _routed()


def _alive(claimed: Path) -> bool:
    """Whether the environment that a claim names still exists."""
    return (Path(claimed.read_text()) / "intent.json").exists()


def _free_number(environment: str) -> int:
    mine = str(_intent.folder(environment))
    claimed = {
        int(p.name) for p in _claims().glob("[0-9]*") if p.read_text() != mine and _alive(p)
    } | _routed()
    free = next((n for n in NUMBERS if n not in claimed), None)
    if free is None:
        raise CordilleraError(
            "no network number is free", hint="destroy an environment you do not need"
        )
    return free


def _routed() -> set[int]:
    """Second bytes of 10.x networks that this machine already routes; without root of 127.x ones in use."""
    if not process.is_root():
        return _loopback.others()
    rows = json.loads(
        process.run(["ip", "-json", "-4", "route"], timeout_s=COMMAND_TIMEOUT_S) or "[]"
    )
    parts = [
        str(row.get("dst", "")).split(".") for row in rows if row.get("dst", "").startswith("10.")
    ]
    return {int(p[1]) for p in parts if len(p) > 1}


def _front_runs(environment: str) -> bool:
    return any(f.key == f"zone/{FRONT}" for f in _found.scan(environment))
