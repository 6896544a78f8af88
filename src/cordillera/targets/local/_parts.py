"""What the parts of the target `local` are made of, and how each is fingerprinted."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from cordillera.components.protocol import Part
from cordillera.targets.local._site import Zone

SECRET = re.compile(r"\$\{secret:([\w./-]+)\}")
"""`${secret:NAME}` in a file or a variable: filled in where it is written, never kept in clear."""
TLS_SECRETS = "tls/"
"""Certificates change by themselves: the certificate component hands them over without a restart."""


@dataclass(frozen=True)
class Ready:
    """When a process counts as up: `tcp` and `http` probe `address:port`; `running` waits seconds;
    `driver` asks the component's `ready`."""

    kind: str = "running"
    port: int = 0
    path: str = "/"
    within_s: float = 30.0
    timeout_s: float = 1.0
    running_s: float = 0.2


@dataclass(frozen=True)
class Process:
    """One supervised program in a zone.

    `user` is root, one of `_site.SERVERS`, or `service/NAME`; `groups` are users whose folders it may enter,
    `guest` is a user that may enter this one's folder of sockets, and with `guest_writes` its data.
    `capabilities` are kept by a program that is not root's: `kill`.
    `files` are written to the user's folder in the zone's run folder (`{run}`) before the start, readable by
    the user, and may hold secrets; sockets belong into `{sockets}`, which is the user's own.
    `variables` are its whole environment besides PATH, HOME and CORDILLERA_PART.
    `prepare` are commands run as the same user before each start; they must bear being run again.
    `data` is a folder under the zone's state folder, made and owned for it.
    `{run}`, `{sockets}`, `{zone_run}` (the zone's run folder), `{state}`, `{data}`, `{private}`, `{public}`
    are filled in in argv, files, variables.
    `release` is the folder of a release: the program sees it, a /tmp of its own of `tmp_bytes`, the machine's
    programs, its own processes, and nothing else.
    `reload` is what applies changed `files` without a restart: a signal's name, `driver` (the
    component's `reload`), or empty: restart.
    `shared_socket` is a listening address that all `copies` inherit as their standard input.
    `port` is one that was handed out to it. `log` names the log file; empty is the part's name.
    `folder` is where it runs; empty is `/`. `image` is the folder of an unpacked image: argv, when empty,
    variables and folder are then the image's own, and its files are all that the program sees.
    `spare_for` names a zone: the program is laid ready, and a lookout runs it only while that zone is lost.
    """

    argv: tuple[str, ...]
    zone: str
    user: str
    subnet: str = "private"
    groups: tuple[str, ...] = ()
    guest: str = ""
    guest_writes: bool = False
    capabilities: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    prepare: tuple[tuple[str, ...], ...] = ()
    data: str = ""
    folder: str = ""
    image: str = ""
    release: str = ""
    tmp_bytes: int = 0
    ready: Ready = Ready()
    reload: str = ""
    stop_signal: str = "TERM"
    stop_grace_s: float = 10.0
    stop_group: bool = True
    shared_socket: str = ""
    copies: int = 1
    port: int = 0
    memory_bytes: int = 0
    cpu_cores: float = 0.0
    processes: int = 0
    log: str = ""
    spare_for: str = ""


@dataclass(frozen=True)
class Task:
    """Something that is made so by asking servers: convergent, done by the component's `perform`.

    `watched` are values whose change means that it must be done again. Whether it is still so in
    the world is asked of the component's `holds`.
    """

    verb: str
    args: Mapping[str, str] = field(default_factory=dict)
    watched: tuple[str, ...] = ()
    within_s: float = 60.0


Body = Process | Task
LocalPart = Part[Body]
Parts = Sequence[LocalPart]


@dataclass(frozen=True)
class Endpoint:
    """A stable address that every zone offers its services: `{zone.private}:port` -> `servers`.

    `servers` are (name, address, port), in the zone's order of preference; `check` are HAProxy
    `tcp-check` or `option httpchk` lines of the backend; `backup` sends to the first healthy only.
    """

    name: str
    port: int
    servers: Callable[[Zone], Sequence[tuple[str, str, int]]]
    check: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    first_only: bool = True
    tls: bool = False


def is_spare(part: LocalPart) -> bool:
    """Whether a part waits for another zone's loss. Pure."""
    return isinstance(part.body, Process) and bool(part.body.spare_for)


def shape(body: Body) -> str:
    """A fingerprint of everything but the files: while it stays, changed files need no restart."""
    plain = replace(body, files={}) if isinstance(body, Process) else body
    text = json.dumps(asdict(plain), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def part(
    component: str,
    name: str,
    unit: str,
    body: Body,
    secret_digest: Callable[[str], str],
    *,
    holds_data: bool = False,
) -> LocalPart:
    """A part with its fingerprint: the body's text and the fingerprints of the secrets in it."""
    text = json.dumps(asdict(body), sort_keys=True, default=str)
    names = {name for name in SECRET.findall(text) if not name.startswith(TLS_SECRETS)}
    secrets = {name: secret_digest(name) for name in sorted(names)}
    digest = hashlib.sha256((text + json.dumps(secrets)).encode()).hexdigest()[:16]
    return Part(component, name, unit, body, digest, holds_data)
