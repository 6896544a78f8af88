"""Which network number, published address and folders an environment gets on this machine."""

import contextlib
import json
import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

from cordillera.components.wanted import Wanted
from cordillera.core import files, lock, process
from cordillera.core.errors import CordilleraError, ManifestError, NotReady
from cordillera.targets.local import _found, _intent, _release
from cordillera.targets.local._intent import Intent
from cordillera.targets.local._site import FRONT, Isolation, Site, roots

NUMBERS = range(64, 250)
FIRST_PORT, LAST_PORT = 8443, 8643
COMMAND_TIMEOUT_S = 5.0


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
    wanted = _address(listen) if listen else intent.listen
    if wanted and (wanted == intent.listen and _front_runs(want.environment)):
        return intent
    if not wanted:
        return replace(intent, listen=_free_address(want.environment))
    _refuse_taken(wanted, want.environment)
    return replace(intent, listen=wanted)


def isolation() -> Isolation:
    """The strongest that this machine lets us have. CORDILLERA_ISOLATION=loopback asks for less."""
    if process.is_root() and os.environ.get("CORDILLERA_ISOLATION") != Isolation.LOOPBACK:
        return Isolation.NAMESPACES
    return Isolation.LOOPBACK


def claim(site: Site) -> None:
    """Take the network number for this environment. Raises NotReady when another just took it."""
    folder = _claims()
    with lock.queued(folder / "lock"):
        path = folder / str(site.number)
        if path.exists() and path.read_text() != str(site.state) and _alive(path):
            raise NotReady(
                f"network number {site.number} was just taken", hint="repeat the command"
            )
        files.write(path, str(site.state))
    for directory in (site.state, site.run):
        directory.mkdir(parents=True, exist_ok=True)
    for directory in (site.state.parent.parent, site.state.parent, site.state, site.run):
        directory.chmod(0o711)


def forget_running(site: Site) -> None:
    """Remove what need not survive: sockets, rendered configuration with its secrets."""
    shutil.rmtree(site.run, ignore_errors=True)


def erase(site: Site) -> None:
    """Remove every file of the environment, and of the last one also what they shared."""
    forget_running(site)
    shutil.rmtree(site.state, ignore_errors=True)
    (_claims() / str(site.number)).unlink(missing_ok=True)
    drop_builds(site.environment)
    state, run = roots()
    with contextlib.suppress(OSError):
        site.state.parent.rmdir()
    if not _intent.environments():
        shutil.rmtree(state / ".builds", ignore_errors=True)
        shutil.rmtree(state / ".cache", ignore_errors=True)
        for path in (state / "locks", run, _claims(), state):
            _remove_if_bare(path)


def drop_builds(environment: str) -> None:
    """Remove builds that no environment uses any more."""
    for build in (roots()[0] / ".builds").glob("*"):
        (build / "users" / environment.replace("/", "+")).unlink(missing_ok=True)
        if (build / "users").is_dir() and not any((build / "users").iterdir()):
            _release.drop_image(build.name)
            shutil.rmtree(build, ignore_errors=True)


def _remove_if_bare(path: Path) -> None:
    """Remove a folder that holds nothing but lock files."""
    if path.is_dir() and all(f.name.endswith("lock") for f in path.iterdir()):
        shutil.rmtree(path, ignore_errors=True)


def _claims() -> Path:
    if process.is_root():
        return Path("/run/cordillera-networks")
    return Path(os.environ.get("XDG_RUNTIME_DIR", f"/tmp/cordillera-{os.getuid()}")) / "networks"  # noqa: S108


def _mine(intent: Intent) -> bool:
    path = _claims() / str(intent.number)
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
    """Second bytes of 10.x networks that this machine already routes."""
    if not process.is_root():
        return set()
    rows = json.loads(
        process.run(["ip", "-json", "-4", "route"], timeout_s=COMMAND_TIMEOUT_S) or "[]"
    )
    parts = [
        str(row.get("dst", "")).split(".") for row in rows if row.get("dst", "").startswith("10.")
    ]
    return {int(p[1]) for p in parts if len(p) > 1}


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ManifestError(
            f"{text} is not an address", hint="write it as 127.0.0.1:8443 or 0.0.0.0:443"
        )
    return f"{host or '127.0.0.1'}:{port}"


def _free_address(environment: str) -> str:
    others = (_intent.load(e) for e in _intent.environments() if e != environment)
    taken = {other.listen for other in others if other}
    for port in range(FIRST_PORT, LAST_PORT):
        address = f"127.0.0.1:{port}"
        if address not in taken and _bindable(address):
            return address
    raise CordilleraError(
        f"no port from {FIRST_PORT} to {LAST_PORT} is free",
        hint="name one: --listen 127.0.0.1:9443",
    )


def _refuse_taken(address: str, environment: str) -> None:
    if _front_runs(environment) and (old := _intent.load(environment)) and old.listen == address:
        return
    if not _bindable(address):
        raise CordilleraError(
            f"{environment}: {address} is taken{_taken_by(address)}",
            hint="free it, or name another: --listen 127.0.0.1:9443",
        )


def _bindable(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, int(port)))
        except OSError:
            return False
    return True


def _taken_by(address: str) -> str:
    port = address.rpartition(":")[2]
    try:
        found = process.run(["ss", "-Htlnp", f"sport = :{port}"], timeout_s=COMMAND_TIMEOUT_S)
    except CordilleraError:
        return ""
    _, _, users = found.partition('(("')
    return f" by {users.split(chr(34))[0]}" if users else ""


def _front_runs(environment: str) -> bool:
    return any(f.key == f"zone/{FRONT}" for f in _found.scan(environment))
