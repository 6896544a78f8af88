"""What really runs: every process of an environment, read from /proc.

A zone's supervisor carries the environment's mark; what it started is told by its descent, because
some servers overwrite their own environment. The shim notes, just before it becomes the program,
which part and digest that process is.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cordillera.targets.local._site import roots

MARK = "CORDILLERA_PART"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
RUNNING = ".running"
ENDED_WITHIN_S = 5.0


@dataclass(frozen=True)
class Found:
    """A running process: the part it is and the digest it was started with. `pid` is the machine's."""

    key: str
    digest: str
    pid: int
    parent: int
    inner_pid: int
    age_s: float
    memory_bytes: int
    cpu_s: float


def mark(environment: str, key: str, digest: str) -> str:
    """The value of CORDILLERA_PART for a part's process."""
    return f"{_identity(environment)}|{key}|{digest}"


def _identity(environment: str) -> str:
    """The environment, and where its state lies: another CORDILLERA_HOME may have one of the same name."""
    return f"{environment}@{roots()[0]}"


def scan(environment: str) -> list[Found]:
    """Every process of the environment: supervisors, programs and their children."""
    uptime_s = float(Path("/proc/uptime").read_text().split()[0])
    everything = {pid: f for pid in _pids() if (f := _read(pid, uptime_s)) is not None}
    sought = f"{MARK}={_identity(environment)}|".encode()
    marked = {
        pid: m for pid in everything if (m := _mark_of(pid, sought)) is not None and _ours(pid)
    }
    found = {
        pid: replace(everything[pid], key=key, digest=digest, inner_pid=_inner_pid(pid))
        for pid, (key, digest) in marked.items()
    }
    children: dict[int, list[int]] = {}
    for f in everything.values():
        children.setdefault(f.parent, []).append(f.pid)
    for supervisor in list(found.values()):
        config = _configuration(supervisor)
        notes = _notes(config) if config else {}
        for child in children.get(supervisor.pid, ()) if config else ():
            key, digest = notes.get(_inner_pid(child), (supervisor.key, ""))
            for pid in _tree(child, children):
                found[pid] = replace(
                    everything[pid], key=key, digest=digest, inner_pid=_inner_pid(pid)
                )
    return list(found.values())


def leaders(found: list[Found]) -> dict[str, Found]:
    """Per part, the process that its supervisor started: the one whose parent is of another part."""
    by_pid = {f.pid: f for f in found}
    tops = (f for f in found if f.parent not in by_pid or by_pid[f.parent].key != f.key)
    return {f.key: f for f in tops}


def digests(environment: str) -> dict[str, str]:
    """Per part that runs, the digest it was started with."""
    return {key: leader.digest for key, leader in leaders(scan(environment)).items()}


def memory_by_key(found: list[Found]) -> dict[str, int]:
    """Bytes resident per part, children included."""
    total: dict[str, int] = {}
    for f in found:
        total[f.key] = total.get(f.key, 0) + f.memory_bytes
    return total


def kill(found: list[Found]) -> None:
    """kill -9 all at once, and wait until they are gone with what they held; at most ENDED_WITHIN_S."""
    with contextlib.ExitStack() as opened:
        handles = []
        for f in found:
            with contextlib.suppress(ProcessLookupError):
                handles.append(os.pidfd_open(f.pid))
                opened.callback(os.close, handles[-1])
                signal.pidfd_send_signal(handles[-1], signal.SIGKILL)
        deadline = time.monotonic() + ENDED_WITHIN_S
        for handle in handles:
            left_s = max(0.0, deadline - time.monotonic())
            _readable_once_gone(handle, left_s)


def _readable_once_gone(handle: int, within_s: float) -> None:
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)
    waiting.poll(within_s * 1000)


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208


def _mark_of(pid: int, sought: bytes) -> tuple[str, str] | None:
    environ = _proc(pid, "environ")
    start = environ.find(sought)
    if start < 0:
        return None
    value = environ[start : environ.find(b"\0", start)].decode().split("|", 2)
    return value[1], value[2]


def _ours(pid: int) -> bool:
    """Whether it runs as we do: a program of another user's may carry whatever mark it likes."""
    _, _, rest = _proc(pid, "status").partition(b"\nUid:")
    return bool(rest) and int(rest.split(None, 1)[0]) == os.getuid()


def _proc(pid: int, name: str) -> bytes:
    """A file of /proc; empty when the process is gone. Every command reads hundreds: no Path objects."""
    try:
        with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return b""


def _inner_pid(pid: int) -> int:
    """The zone's own number of it; 0 when it is gone."""
    _, _, rest = _proc(pid, "status").partition(b"\nNSpid:")
    return int(rest.split(b"\n", 1)[0].split()[-1]) if rest else 0


def _configuration(found: Found) -> Path | None:
    """The supervisor's configuration file; None for anything else, such as the `unshare` around it."""
    if not found.key.startswith("zone/"):
        return None
    with contextlib.suppress(OSError, IndexError):
        words = Path(f"/proc/{found.pid}/cmdline").read_bytes().split(b"\0")
        if words[-2].endswith(b"supervisord.conf") and b"python" in words[0]:
            return Path(words[-2].decode())
    return None


def _notes(config: Path) -> Mapping[int, tuple[str, str]]:
    """The zone's numbering of pids -> (part, digest), as the shim noted them."""
    notes: dict[int, tuple[str, str]] = {}
    for path in config.parent.glob(f"exec/*{RUNNING}"):
        with contextlib.suppress(OSError, ValueError):
            for line in path.read_text().splitlines():
                pid, key, digest = line.split("|")
                notes[int(pid)] = (key, digest)
    return notes


def _tree(pid: int, children: Mapping[int, list[int]]) -> Iterator[int]:
    yield pid
    for child in children.get(pid, ()):
        yield from _tree(child, children)


def _read(pid: int, uptime_s: float) -> Found | None:
    """What any process is, but for what it is to us; None for one that is gone."""
    stat = _proc(pid, "stat").rpartition(b")")[2].split()
    if not stat or stat[0] == b"Z":
        return None
    return Found(
        key="",
        digest="",
        pid=pid,
        parent=int(stat[1]),
        inner_pid=0,
        age_s=uptime_s - int(stat[19]) / TICKS_PER_S,
        memory_bytes=int(stat[21]) * PAGE_BYTES,
        cpu_s=(int(stat[11]) + int(stat[12])) / TICKS_PER_S,
    )
