"""How a Process part becomes files, a specification for the shim and a supervised program."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cordillera.core import files, process
from cordillera.core.errors import CommandFailed, NotReady
from cordillera.targets.local import (
    _address,
    _cgroup,
    _found,
    _hosts,
    _image,
    _net,
    _sandbox,
    _seccomp,
    _supervisor,
    _supervisor_config,
)
from cordillera.targets.local._parts import SECRET, LocalPart, Process
from cordillera.targets.local._site import ROOT, Site, Zone, roots

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
OPEN_FILES = 65_536
LARGEST_FILE_BYTES = 2 << 30
"""Of a service, its log included: between two rotations it fills no disk."""
LEAST_TMP_BYTES = 32 << 20


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
    user = site.uid(body.user)
    mode = 0o600 if user is None else 0o640
    for name, text in body.files.items():
        content = fill(text, body, site, zone)
        files.write(zone.files(body.user) / name, content, mode=mode, group=user)
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
    """Make the zone's folders, and the process's own with its owner. May be called twice."""
    for folder in (zone.state, zone.state / "logs", zone.run):
        files.make_folder(folder)
    files.make_folder(zone.run / "exec", mode=0o700)
    owner = site.uid(body.user)
    guest = site.uid(body.guest) if body.guest else None
    closed = 0o711 if owner is None and process.is_root() else 0o700
    own = zone.files(body.user)
    files.make_folder(own)
    for parent in {(own / name).parent for name in body.files}:
        files.make_folder(parent, mode=0o711 if parent == own else 0o755)
    mode = closed if guest is None else 0o710
    files.make_folder(zone.sockets(body.user), mode=mode, owner=owner, group=guest or owner)
    if body.data and body.guest_writes and guest is not None:
        _own(zone.state / body.data, 0o770, owner, guest)
    elif body.data:
        _own(zone.state / body.data, closed, owner, owner)


def _own(data: Path, mode: int, owner: int | None, group: int | None) -> None:
    """Have a data folder that is that user's, with everything in it."""
    strangers = data.exists() and owner is not None and data.stat().st_uid != owner
    files.make_folder(data, mode=mode, owner=owner, group=group)
    if strangers and owner is not None:
        files.give(data, owner, owner)
        files.make_folder(data, mode=mode, owner=owner, group=group)


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
        "netns": _netns_file(body, site, zone),
        "view": _view(body, site, zone, image["root"] if image else ""),
        "part": f"{part.key}|{part.digest}",
        "note": "" if once else str(zone.run / "exec" / f"{part.name}{_found.RUNNING}"),
        "log": "" if once else str(log_file(zone, part)),
        "backoff": "" if once else str(zone.run / "exec" / f"{part.name}.starts"),
        **_privileges(part.name, body, site),
    }


def _privileges(name: str, body: Process, site: Site) -> dict[str, Any]:
    """Who it is, what it may do and use."""
    limits = _cgroup.Limits(body.memory_bytes, body.cpu_cores, body.processes)
    groups = [n for user in body.groups if (n := site.uid(user)) is not None]
    largest = {"fsize": LARGEST_FILE_BYTES} if body.release else {}
    return {
        "user": site.uid(body.user),
        "groups": groups,
        "capabilities": list(body.capabilities),
        "keep_privileges": body.user == ROOT,
        "filter": _seccomp.compiled().hex(),
        "cgroups": _cgroup.make(site, name, limits),
        "limits": {"nofile": OPEN_FILES, "core": 0, **largest},
    }


def _view(body: Process, site: Site, zone: Zone, root: str) -> dict[str, Any] | None:
    """What a service's program sees; None for a server, and where users may not mount anything."""
    user = site.uid(body.user)
    if not body.release or user is None:
        return None
    hidden = [*map(str, roots()), "/run", "/sys/fs/cgroup"]
    texts = {"/etc/hosts": _hosts.hosts(site), "/etc/resolv.conf": _hosts.resolvers()}
    return {
        "root": root,
        "kept": [body.release, *map(str, _sandbox.python())],
        "hidden": hidden,
        "own": "/run",
        "user": user,
        "copied": [str(zone.run / CA_FILE)],
        "texts": texts,
        "tmp_bytes": max(LEAST_TMP_BYTES, body.tmp_bytes),
        "shared_memory_bytes": _sandbox.SHARED_MEMORY_BYTES,
    }


def fill(text: str, body: Process, site: Site, zone: Zone) -> str:
    """Fill in `{run}`, `{data}`, addresses and `${secret:...}`. Other braces are left alone."""
    values = {
        "{run}": str(zone.files(body.user)),
        "{sockets}": str(zone.sockets(body.user)),
        "{zone_run}": str(zone.run),
        "{state}": str(zone.state),
        "{data}": str(zone.state / body.data),
        "{private}": zone.private,
        "{public}": zone.public,
        "{zone}": zone.name,
    }
    for name, value in values.items():
        text = text.replace(name, value)
    return SECRET.sub(lambda found: site.vault.get(found[1]), text)


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
