"""What really runs: every process of an environment, read from /proc."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = "CORDILLERA_PART"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Found:
    """A running process: the part it is and the digest it was started with. `pid` is the machine's."""

    environment: str
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
    return f"{environment}|{key}|{digest}"


def scan(environment: str) -> list[Found]:
    """Every process that carries the environment's mark; children inherit it."""
    uptime_s = float(Path("/proc/uptime").read_text().split()[0])
    return [f for pid in _pids() if (f := _read(pid, environment, uptime_s)) is not None]


def leaders(found: list[Found]) -> dict[str, Found]:
    """Per part, the process that its supervisor started: the one whose parent is of another part."""
    by_pid = {f.pid: f for f in found}
    tops = (f for f in found if f.parent not in by_pid or by_pid[f.parent].key != f.key)
    return {f.key: f for f in tops}


def memory_by_key(found: list[Found]) -> dict[str, int]:
    """Bytes resident per part, children included."""
    total: dict[str, int] = {}
    for f in found:
        total[f.key] = total.get(f.key, 0) + f.memory_bytes
    return total


def kill(found: list[Found]) -> None:
    """kill -9 each; those already gone are fine."""
    for f in found:
        try:
            os.kill(f.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208


def _read(pid: int, environment: str, uptime_s: float) -> Found | None:
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes()
        start = environ.find(f"{MARK}={environment}|".encode())
        if start < 0:
            return None
        value = environ[start : environ.find(b"\0", start)].decode().split("=", 1)[1]
        _, key, digest = value.split("|", 2)
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text()
    except (OSError, ValueError):
        return None
    if stat[0] == "Z":
        return None
    inner = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[-1]
    return Found(
        environment=environment,
        key=key,
        digest=digest,
        pid=pid,
        parent=int(stat[1]),
        inner_pid=int(inner),
        age_s=uptime_s - int(stat[19]) / TICKS_PER_S,
        memory_bytes=int(stat[21]) * PAGE_BYTES,
        cpu_s=(int(stat[11]) + int(stat[12])) / TICKS_PER_S,
    )
