"""Commands run once inside a zone, as a service would run: `release` commands and `cordillera run`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from cordillera.components.wanted import Wanted
from cordillera.core import files, process
from cordillera.core.errors import NotReady
from cordillera.targets.local import (
    _copies,
    _release,
    _start,
    _supervisor,
    _supervisor_config,
    service,
)
from cordillera.targets.local._parts import Process, part
from cordillera.targets.local._site import SERVICE, Site, Zone

LEAST_CORES = 1.0
"""A migration is no copy: it may use a core, and leaves the others to whoever serves."""


def logged(
    name: str,
    argv: Sequence[str],
    want: Wanted,
    site: Site,
    log: Path,
    *,
    timeout_s: float,
    zone: Zone | None = None,
) -> int:
    """Run it in a zone, the first by default, output to `log`; the exit status. Raises NotReady when late."""
    files.write(log, "")
    command, spec = _command(name, argv, want, site, zone or site.zones[0])
    try:
        return process.logged(command, log=log, timeout_s=timeout_s)
    finally:
        spec.unlink(missing_ok=True)


def attached(name: str, argv: Sequence[str], want: Wanted, site: Site, zone: Zone) -> int:
    """Run it on our own terminal; the exit status."""
    command, spec = _command(name, argv, want, site, zone)
    try:
        return process.attached(command)
    finally:
        spec.unlink(missing_ok=True)


def _command(
    name: str, argv: Sequence[str], want: Wanted, site: Site, zone: Zone
) -> tuple[list[str], Path]:
    """The command that enters the zone, and the file with its specification (secrets inside)."""
    service_spec = want.services[name]
    release = want.releases[name]
    place = _release.place(site, release)
    body = Process(
        argv=tuple(argv),
        zone=zone.name,
        user=SERVICE + name,
        groups=_copies.GROUPS,
        variables=service.environment(name, want, site, zone, release),
        folder=str(place / "app"),
        image=str(place) if _copies.is_image(service_spec) else "",
        release=str(place),
        tmp_bytes=service_spec.memory // 2,
        memory_bytes=service_spec.memory,
        cpu_cores=max(LEAST_CORES, service_spec.cpu),
        processes=_copies.PROCESSES,
    )
    once = part("once", f"{name}-{_serial()}", "", body, site.vault.digest)
    path = _start.spec_file(zone, once.name)
    files.write(path, json.dumps(_start.spec(once, site, once=True)), mode=0o600)
    pid = _supervisor.Supervisor(site, zone).pid()
    if not pid:
        raise NotReady(f"zone {zone.name} of {site.environment} does not run", hint="cordillera up")
    enter = ["nsenter", f"--target={pid}", "--mount", "--pid", "--ipc"] if process.is_root() else []
    return [*enter, sys.executable, "-I", "-S", str(_supervisor_config.SHIM), str(path)], path


def _serial() -> str:
    import secrets

    return secrets.token_hex(4)
