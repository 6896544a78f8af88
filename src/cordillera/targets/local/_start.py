"""How a Process part becomes files, a specification for the shim and a supervised program."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cordillera.core import files
from cordillera.core.errors import CommandFailed, NotReady
from cordillera.targets.local import (
    _address,
    _cgroup,
    _found,
    _image,
    _net,
    _supervisor,
    _supervisor_config,
)
from cordillera.targets.local._parts import SECRET, LocalPart, Process
from cordillera.targets.local._site import Site, Zone

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PRIORITY = {
    "lookout": 960,
    "keeper": 950,
    "service": 900,
    "balancer": 800,
    "firewall": 700,
    "queue": 600,
    "mail": 600,
    "votes": 50,
}
DATA_PRIORITY = 100
CA_FILE = "ca.pem"


def start(part: LocalPart, site: Site, *, restart: bool) -> None:
    """Write what the part needs and have its zone's supervisor run it. May be called twice.

    Raises CordilleraError when the address it should listen at is somebody else's.
    """
    body = _process(part)
    zone = site.zone(body.zone)
    place_files(part, site)
    (zone.run / "exec" / f"{part.name}.starts").unlink(missing_ok=True)
    restart = restart and not body.spare_for
    try:
        _supervisor.Supervisor(site, zone).put(part.name, _program(part, zone), restart=restart)
    except NotReady:
        if body.shared_socket:  # most likely why; said with the name of who has it
            _address.refuse_taken(body.shared_socket, site.environment)
        raise


def place_files(part: LocalPart, site: Site) -> None:
    """Write its files (secrets filled in), folders and the shim's specification."""
    body, zone = _process(part), site.zone(_process(part).zone)
    folders(body, site, zone)
    for name, text in body.files.items():
        content = fill(text, body, site, zone)
        files.write(zone.run / name, content, mode=0o600, owner=uid(body, site))
    files.write_json(spec_file(zone, part.name), spec(part, site), mode=0o600)


def laid_ready(part: LocalPart, site: Site) -> str:
    """The digest of what a spare would run as; empty when its zone does not know it."""
    zone = site.zone(_process(part).zone)
    try:
        told = json.loads(spec_file(zone, part.name).read_text())["part"]
    except (OSError, ValueError, KeyError):
        return ""
    known = (zone.run / "programs" / f"{part.name}.conf").exists()
    return str(told).rpartition("|")[2] if known else ""


def note_reloaded(part: LocalPart, site: Site) -> None:
    """Remember that the running program has read its files again: it is what `part` says now."""
    body = _process(part)
    note = site.zone(body.zone).run / "exec" / f"{part.name}{_found.RUNNING}"
    if note.exists():
        lines = [line.split("|") for line in note.read_text().splitlines()]
        text = "".join(f"{pid}|{key}|{part.digest}\n" for pid, key, _ in lines if key == part.key)
        files.write(note, text)


def folders(body: Process, site: Site, zone: Zone) -> None:
    """Make the zone's folders, and the process's own with its owner."""
    for folder in (zone.state, zone.run, zone.state / "logs", zone.run / "exec"):
        folder.mkdir(parents=True, exist_ok=True)
    owner = uid(body, site)
    wanted = [zone.state / body.data] if body.data else []
    wanted += [(zone.run / name).parent for name in body.files if "/" in name]
    for folder in wanted:
        folder.mkdir(parents=True, exist_ok=True)
        if owner is not None and folder not in (zone.run, zone.state):
            os.chown(folder, owner, owner)
            folder.chmod(0o700)


def spec(part: LocalPart, site: Site, *, once: bool = False) -> dict[str, Any]:
    """What the shim is told. Holds secrets: it goes to a file of root's in memory, nowhere else."""
    body = _process(part)
    zone = site.zone(body.zone)
    image = _image.start_of(Path(body.image), body.argv) if body.image else None
    values: Mapping[str, str] = {
        "PATH": PATH,
        "HOME": str(zone.state / body.data) if body.data else "/tmp",  # noqa: S108
        "LANG": "C.UTF-8",
        **(image["env"] if image else {}),
        **{key: fill(value, body, site, zone) for key, value in body.variables.items()},
        _found.MARK: _found.mark(site.environment, part.key, "once" if once else part.digest),
    }
    return {
        "argv": [fill(word, body, site, zone) for word in (image["argv"] if image else body.argv)],
        "prepare": [[fill(word, body, site, zone) for word in argv] for argv in body.prepare],
        "env": values,
        "folder": image["folder"] if image else fill(body.folder, body, site, zone) or "/",
        "root": image["root"] if image else "",
        "bound": [str(zone.run / CA_FILE)] if image else [],
        "user": uid(body, site),
        "keep_privileges": body.user == "root",
        "netns": _netns_file(body, site, zone),
        "cgroups": _cgroup.make(
            site, part.name, memory_bytes=body.memory_bytes, cpu_cores=body.cpu_cores
        ),
        "part": f"{part.key}|{part.digest}",
        "note": "" if once else str(zone.run / "exec" / f"{part.name}{_found.RUNNING}"),
        "log": "" if once else str(log_file(zone, part)),
        "backoff": "" if once else str(zone.run / "exec" / f"{part.name}.starts"),
    }


def fill(text: str, body: Process, site: Site, zone: Zone) -> str:
    """Fill in `{run}`, `{data}`, addresses and `${secret:...}`. Other braces are left alone."""
    values = {
        "{run}": str(zone.run),
        "{state}": str(zone.state),
        "{data}": str(zone.state / body.data),
        "{private}": zone.private,
        "{public}": zone.public,
        "{zone}": zone.name,
    }
    for name, value in values.items():
        text = text.replace(name, value)
    return SECRET.sub(lambda found: site.vault.get(found[1]), text)


def uid(body: Process, site: Site) -> int | None:
    """The user a process runs as; None is our own."""
    return {"app": site.app_user, "server": site.server_user, "root": None}[body.user]


def spec_file(zone: Zone, name: str) -> Path:
    """Where the shim finds the specification of a program."""
    return zone.run / "exec" / f"{name}.json"


def log_file(zone: Zone, part: LocalPart) -> Path:
    """Where a program's stdout and stderr go. A service's copies share their slot's file."""
    body = _process(part)
    return zone.state / "logs" / f"{body.log or part.name}.log"


def forget(name: str, site: Site, zone: Zone) -> None:
    """Stop a program and remove what was written for it; its data and logs stay."""
    _supervisor.Supervisor(site, zone).remove(name)
    spec_file(zone, name).unlink(missing_ok=True)
    for suffix in (".starts", _found.RUNNING):
        (zone.run / "exec" / f"{name}{suffix}").unlink(missing_ok=True)
    _cgroup.remove(site, name)


def _netns_file(body: Process, site: Site, zone: Zone) -> str:
    if not site.namespaced or body.subnet == "outside" or zone.outside:
        return ""
    return str(_net.NETNS_FOLDER / site.netns(zone, body.subnet))


def _program(part: LocalPart, zone: Zone) -> str:
    body = _process(part)
    return _supervisor_config.program_config(
        part.name,
        spec_file(zone, part.name),
        stop_signal=body.stop_signal,
        stop_wait_s=body.stop_grace_s,
        priority=PRIORITY.get(part.component, DATA_PRIORITY),
        as_group=body.stop_group,
        autostart=not body.spare_for,
        section="fcgi-program" if body.shared_socket else "program",
        extra=f"socket=tcp://{body.shared_socket}\nnumprocs={body.copies}\n"
        "process_name=%(program_name)s-%(process_num)d\n"
        if body.shared_socket
        else "",
    )


def _process(part: LocalPart) -> Process:
    if not isinstance(part.body, Process):
        raise CommandFailed(f"{part.key} is not a process")
    return part.body
