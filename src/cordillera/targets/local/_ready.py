"""When a begun unit is up, and why it will never be."""

import http.client
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cordillera.components.protocol import Progress
from cordillera.core.errors import NotReady
from cordillera.targets.local import _found, _net, _start, components
from cordillera.targets.local._log import log_tail
from cordillera.targets.local._parts import LocalPart, Process
from cordillera.targets.local._site import Site, Zone

EXITS_THAT_TELL = 2
EXITED = re.compile(r"^(\S+ \S+) \w+ exited: (\S+) \((.*?)(?:; .*)?\)$")


@dataclass(frozen=True)
class Begun:
    """When a unit was begun."""

    at: datetime


def poll(parts: list[LocalPart], site: Site, begun: Begun) -> Progress:
    """Whether every process of a unit is up; the first that fails for good, with its log's end."""
    waiting = []
    for part in parts:
        if not isinstance(part.body, Process) or part.body.spare_for:
            continue
        progress = _one(part, site, begun)
        if progress.failure:
            return progress
        if not progress.done:
            waiting.append(progress.detail)
    return Progress(done=not waiting, detail="; ".join(waiting))


def _one(part: LocalPart, site: Site, begun: Begun) -> Progress:
    body = part.body
    assert isinstance(body, Process)
    zone = site.zone(body.zone)
    ready, detail = probe(part, site)
    if ready:
        return Progress(done=True)
    exits = exits_of(part.name, zone, since=begun.at)
    if len(exits) >= EXITS_THAT_TELL:
        return Progress(done=True, failure=_crashed(part, site, exits))
    late_s = (datetime.now(UTC) - begun.at).total_seconds()
    if late_s > body.ready.within_s:
        return Progress(done=True, failure=_late(part, site, detail))
    return Progress(done=False, detail=f"{part.name}: {detail}")


def probe(part: LocalPart, site: Site) -> tuple[bool, str]:
    """Whether one process is up now, and what it answered."""
    found = _found.leaders(_found.scan(site.environment)).get(part.key)
    return (False, "starting") if found is None else probe_found(part, site, found)


def probe_found(part: LocalPart, site: Site, found: _found.Found) -> tuple[bool, str]:
    """The same, of a process that was found already."""
    body = part.body
    assert isinstance(body, Process)
    zone = site.zone(body.zone)
    try:
        return _PROBES[body.ready.kind](part, site, zone, found)
    except (OSError, http.client.HTTPException) as e:
        return False, f"no answer ({e.__class__.__name__}: {e})"


def _running(part: LocalPart, _site: Site, _zone: Zone, found: _found.Found) -> tuple[bool, str]:
    assert isinstance(part.body, Process)
    return found.age_s >= part.body.ready.running_s, "running"


def _tcp(part: LocalPart, site: Site, zone: Zone, _: _found.Found) -> tuple[bool, str]:
    assert isinstance(part.body, Process)
    address = zone.private if part.body.subnet == "private" else zone.public
    with _net.dial(
        site,
        zone,
        address,
        part.body.ready.port,
        timeout_s=_net.PROBE_TIMEOUT_S,
        subnet=part.body.subnet,
    ):
        return True, "listening"


def _http(part: LocalPart, site: Site, zone: Zone, _f: _found.Found) -> tuple[bool, str]:
    assert isinstance(part.body, Process)
    ready = part.body.ready
    status, _ = _net.http_get(
        site, zone, ready.port, ready.path, timeout_s=ready.timeout_s, subnet=part.body.subnet
    )
    return status < 400, f"{ready.path} answered HTTP {status}"


def _driver(part: LocalPart, site: Site, _zone: Zone, _: _found.Found) -> tuple[bool, str]:
    progress = components.by_name(part.component).ready(part, site)
    return progress.done, progress.detail or progress.failure


_PROBES: dict[str, Callable[[LocalPart, Site, Zone, _found.Found], tuple[bool, str]]] = {
    "running": _running,
    "tcp": _tcp,
    "http": _http,
    "driver": _driver,
}


def exits_of(name: str, zone: Zone, *, since: datetime | None = None) -> list[str]:
    """How a program ended, oldest first, as its supervisor logged it."""
    log = zone.run / "supervisor.log"
    if not log.exists():
        return []
    ends = (EXITED.match(line) for line in log.read_text(errors="replace").splitlines())
    return [
        end[3]
        for end in ends
        if end
        and end[2] == name
        and (since is None or _logged_at(end[1]) >= since.replace(microsecond=0))
    ]


def task_detail(site: Site, unit: str) -> str:
    """What a long task last said, for the progress display."""
    tail = log_tail(site.state / "logs" / f"{unit.replace('/', '-')}.log", 1)
    return tail[0][:100] if tail else ""


def repeat(do: Callable[[], None], *, within_s: float, every_s: float) -> None:
    """Do it until it is not NotReady any more; the last NotReady is raised when the time is up."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            return do()
        except NotReady:
            if time.monotonic() >= deadline:
                raise
            time.sleep(every_s)


def _logged_at(text: str) -> datetime:
    return datetime.strptime(text.split(",")[0], "%Y-%m-%d %H:%M:%S").astimezone(UTC)


def _crashed(part: LocalPart, site: Site, exits: list[str]) -> str:
    assert isinstance(part.body, Process)
    return f"{part.name} ended at once, {len(exits)} times ({exits[-1]}){_log_of(part, site)}"


def _late(part: LocalPart, site: Site, detail: str) -> str:
    assert isinstance(part.body, Process)
    return f"{part.name} was not up after {part.body.ready.within_s:.0f} s: {detail}{_log_of(part, site)}"


def _log_of(part: LocalPart, site: Site) -> str:
    assert isinstance(part.body, Process)
    path = _start.log_file(site.zone(part.body.zone), part)
    return "".join(f"\n    {part.name} | {line}" for line in log_tail(path))
