"""A database that is written to while things are lost, and a record of what was acknowledged."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import pymysql
import pytest
from tests.targets.local import whole
from tests.targets.local.by_hand import eventually
from tests.targets.local.whole import Environment

from cordillera.components.database import DatabaseSpec
from cordillera.components.state import ResourceState
from cordillera.components.target import Loss
from cordillera.targets.local import _found, _mariadb_cluster, _net
from cordillera.targets.local import _mariadb_ask as asking
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local._site import Site
from cordillera.targets.local._verbs import LocalVerbs

PAUSE_S = 0.01
HEALED_WITHIN_S = 90.0


class Written:
    """Rows that a thread writes, each once; those that were acknowledged."""

    def __init__(self, cluster: "Cluster", zone: str, *, first: int = 0) -> None:
        self._cluster, self._zone, self._over = cluster, zone, Flag()
        self._first = first
        self.acknowledged: set[int] = set()
        self._thread = Thread(target=self._write, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self.wait_for_more()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def wait_for_more(self) -> None:
        """Until rows are acknowledged that were begun after now."""
        wanted = len(self.acknowledged) + 5
        eventually(lambda: len(self.acknowledged) >= wanted, "writes go on")

    def lost(self) -> set[int]:
        """Acknowledged rows that are not there; asked until somebody answers."""
        there: list[set[int]] = []

        def asked() -> bool:
            with suppress(pymysql.Error, OSError):
                there.append(set(self._cluster.query("SELECT id FROM orders")))
            return bool(there)

        eventually(asked, "the rows can be read")
        return self.acknowledged - there[0]

    def _write(self) -> None:
        number = self._first
        while not self._over.is_set():
            number += 1
            with suppress(pymysql.Error, OSError):
                self._cluster.query(f"INSERT INTO orders VALUES ({number})", zone=self._zone)
                self.acknowledged.add(number)
            time.sleep(PAUSE_S)


@dataclass
class Cluster:
    """An app's database, asked as the app would ask it: at its zone's proxy."""

    environment: Environment

    @property
    def site(self) -> Site:
        return self.environment.site

    @property
    def name(self) -> str:
        return self.site.environment

    def query(
        self,
        statement: str,
        *,
        zone: str = "a",
        port: int = config.WRITER_PORT,
        user: str = "db",
        password: str = "",
    ) -> list[Any]:
        """The first column. Raises pymysql.Error, OSError."""
        at = self.site.zone(zone)
        connection = pymysql.connect(
            host=at.private, user=user, password=password or self.site.vault.get("database/db"),
            database="db" if user == "db" else None, autocommit=True, defer_connect=True,
            ssl_disabled=True, connect_timeout=5, read_timeout=8,
        )  # fmt: skip
        connection.connect(_net.dial(self.site, at, at.private, port, timeout_s=5))
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(statement)
            return [row[0] for row in cursor.fetchall()]

    def answer(self, statement: str, **where: Any) -> list[Any]:
        """As `query`, but silence is an empty answer."""
        with suppress(pymysql.Error, OSError):
            return self.query(statement, **where)
        return []

    def state(self) -> ResourceState:
        return self.environment.state().resources["db"]

    def why(self) -> str:
        return self.state().detail

    def holder(self) -> str:
        """The zone whose keeper has the office."""
        seen = _mariadb_cluster.agreed(self.site)
        return seen.holder if seen else ""

    def writer(self) -> str:
        """The zone that the votes and its server call the writer; empty when there is none."""
        open_ = {server.zone for server in asking.survey(self.site) if server.writable}
        return self.holder() if self.holder() in open_ else ""

    def other(self, zone: str) -> str:
        return "b" if zone == "a" else "a"

    def epoch(self) -> int:
        """How many times a database was opened for writing."""
        seen = _mariadb_cluster.agreed(self.site)
        return seen.record.epoch if seen and seen.record else 0

    def confirmed(self) -> frozenset[str]:
        """The zones whose database has every acknowledged row, as the votes say."""
        seen = _mariadb_cluster.agreed(self.site)
        return seen.record.eligible if seen and seen.record else frozenset()

    def heal(self) -> None:
        """Wait until everything is as it should be."""
        eventually(lambda: self.environment.state().healthy, "healthy", within_s=HEALED_WITHIN_S)

    def signal(self, part: str, number: signal.Signals) -> int:
        """Send a signal to a part's process; its pid."""
        pid = _found.leaders(_found.scan(self.name))[part].pid
        os.kill(pid, number)
        return pid

    def thaw(self, pid: int) -> None:
        """Have a frozen process go on; one that is gone is fine."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def writing(self, *, zone: str = "a", first: int = 0) -> Iterator[Written]:
        """Rows come in for as long as the block runs, numbered from `first`."""
        written = Written(self, zone, first=first)
        written.start()
        try:
            yield written
        finally:
            written.stop()


@contextmanager
def cluster(name: str, *, disk_mb: int = 0) -> Iterator[Cluster]:
    """An environment of that name with a database, in a home of its own.

    With `disk_mb` each zone's database lies on a disk of its own of that size.
    """
    with pytest.MonkeyPatch.context() as patch, whole.home() as home:
        patch.setenv("CORDILLERA_HOME", str(home))
        want = whole.wanted(name, {"db": DatabaseSpec(type="database")})
        with _disks(home / "state" / name, disk_mb), whole.environment(want, home) as made:
            yield Cluster(made)


@contextmanager
def _disks(state: Path, megabytes: int) -> Iterator[None]:
    """A disk of its own under each zone's database, if a size is given."""
    folders = [state / "zones" / zone / config.DATA for zone in ("a", "b") if megabytes]
    try:
        for folder in folders:
            folder.mkdir(parents=True)
            for parent in (folder, *folder.parents[:4]):
                parent.chmod(0o711)
            image = folder.with_suffix(".img")
            with image.open("wb") as file:
                file.truncate(megabytes << 20)
            subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
            subprocess.run(["mount", "-o", "loop", image, folder], check=True)
            (folder / "lost+found").rmdir()
        yield
    finally:
        for folder in folders:
            subprocess.run(["umount", "--lazy", folder], check=False)


@contextmanager
def disk_frozen(folder: Path) -> Iterator[None]:
    """Nothing that is written to the folder's disk comes back while the block runs."""
    subprocess.run(["fsfreeze", "--freeze", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["fsfreeze", "--unfreeze", folder], check=True)


# -- what goes on for a while ---------------------------------------------------------------------


def flap(shop: Cluster, zone: str, how: Loss, *, times: int, every_s: float = 5.0) -> None:
    """A zone that comes and goes."""
    for _ in range(times):
        LocalVerbs().lose(shop.name, zone, how)
        time.sleep(every_s)
        LocalVerbs().restore(shop.name, zone)
        time.sleep(every_s)


def freeze_everything(shop: Cluster, *, for_s: float) -> None:
    """As a machine that was paused, and goes on."""
    pids = [found.pid for found in _found.scan(shop.name)]
    for number, pause_s in ((signal.SIGSTOP, for_s), (signal.SIGCONT, 0.0)):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        time.sleep(pause_s)


def slow_disk(shop: Cluster, zone: str, *, for_s: float) -> None:
    """A disk that takes nothing for most of each second."""
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        with disk_frozen(shop.site.zone(zone).state / config.DATA):
            time.sleep(0.8)
        time.sleep(0.2)


def fill(folder: Path) -> Path:
    """Leave no room on the folder's disk; the file that takes it."""
    hog = folder / "hog"
    free = os.statvfs(folder)
    with hog.open("wb") as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize))
    with suppress(OSError), hog.open("ab", buffering=0) as raw:
        while raw.write(bytes(4096)):
            pass
    return hog


# -- what the servers' own logs say ---------------------------------------------------------------

GTID = re.compile(
    r"^#(\d{6}) +(\d+):(\d\d):(\d\d) server id (\d+) .*\bGTID \d+-\d+-(\d+)(.*)$", re.MULTILINE
)
WHOLE = ("\tXid = ", "\nCOMMIT")
"""What ends a transaction. Without it a full disk or a kill tore it, and nobody ever had it."""


@dataclass(frozen=True)
class Event:
    """One transaction in a server's log: its number, who wrote it first, and when (day and second)."""

    number: int
    writer: int
    at: tuple[str, int]


def history(site: Site, zone: str) -> list[Event]:
    """Every transaction in the binary logs of a zone's server, in the order in which they lie there."""
    folder = site.zone(zone).state / config.DATA / "mysql"
    return [event for log in sorted(folder.glob("binlog.[0-9]*")) for event in events(_text(log))]


def events(text: str) -> Iterator[Event]:
    """The whole transactions in a binary log that was made readable. Pure."""
    found = list(GTID.finditer(text))
    for this, following in pairwise([*found, None]):
        assert this is not None
        rest = text[this.end() : following.start() if following else len(text)]
        day, h, m, s, server, number, flags = this.groups()
        if "ddl" in flags or any(end in rest for end in WHOLE):
            yield Event(int(number), int(server), (day, int(h) * 3600 + int(m) * 60 + int(s)))


def _text(log: Path) -> str:
    """A binary log as text, up to where it was torn."""
    argv = ["mariadb-binlog", "--no-defaults", "--base64-output=decode-rows", str(log)]
    done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=120)
    return done.stdout


def split(one: Sequence[Event], other: Sequence[Event]) -> list[int]:
    """Numbers that two servers gave to different transactions. Pure."""
    writers = {event.number: event.writer for event in one}
    return [e.number for e in other if writers.get(e.number, e.writer) != e.writer]


def overlapping(events: Sequence[Event]) -> list[Event]:
    """Where a server still wrote after another had begun to: two writers at one time. Pure."""
    found, latest = [], ("", 0)
    ordered = sorted(events, key=lambda event: event.number)
    for before, event in pairwise(ordered):
        latest = max(latest, before.at)
        if event.writer != before.writer and event.at < latest:
            found.append(event)
    return found
