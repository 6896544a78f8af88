"""The zone's own MariaDB server in its keeper's hands. Every step converges and may be cut off anywhere."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cordillera.core.errors import NotReady
from cordillera.targets.local import _hashes as hashes
from cordillera.targets.local import _mariadb_ask as asking
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local._keeper.decide import Here
from cordillera.targets.local._keeper.disk import Disk
from cordillera.targets.local._keeper.plan import Plan
from cordillera.targets.local._keeper.processes import matching
from cordillera.targets.local._mariadb_ask import Server

if TYPE_CHECKING:
    from pymysql.cursors import DictCursor

APPLIED_POLL_S = 0.05
ACCESS_DENIED = 1045
UNFIT_FOR_S = 30.0
PROMOTION_TABLE = (
    "CREATE TABLE IF NOT EXISTS cordillera.promotion (epoch INT UNSIGNED PRIMARY KEY, "
    "zone VARCHAR(16) NOT NULL, at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE=InnoDB"
)


class Broken(NotReady):
    """The server has what it was sent and cannot apply it: it must be made anew from a copy."""


class LocalServer:
    """Looks at the server, and knows since when it has not answered."""

    def __init__(self, plan: Plan) -> None:
        self.zone, self._password = plan.zone, plan.root_password
        self._replication_password = plan.replication_password
        self._zones = {address: name for name, address in plan.others.items()}
        self._disk = Disk(plan.zone.state / config.DATA)
        self._dead_since = self._stuck_since = self._unfit_until = 0.0
        self._disk_was_well = True

    def start(self) -> None:
        """Watch the disk from now on."""
        self._disk.start()

    def look(self) -> tuple[Here, Server]:
        """How it is now, and all that it says."""
        found = asking.look(self.zone, self._password)
        if self._disk_is_back() and not found.answers:
            self.fence()  # it waits for room, and looks for it once a minute; anew it looks at once
        now = time.monotonic()
        self._dead_since = (self._dead_since or now) if found.refuses else 0.0
        silent = not found.answers and not found.refuses
        self._stuck_since = (self._stuck_since or now) if silent else 0.0
        here = Here(
            zone=self.zone.name,
            answers=found.answers,
            well=self._disk.well and now >= self._unfit_until,
            writable=found.writable,
            follows=self._zones.get(found.follows, found.follows),
            halted=found.halted,
            waits=found.semi_sync,
            dead_s=now - self._dead_since if self._dead_since else 0.0,
            stuck_s=now - self._stuck_since if self._stuck_since else 0.0,
        )
        return here, found

    def _disk_is_back(self) -> bool:
        """Whether the disk is well, and was not when we looked last."""
        before, self._disk_was_well = self._disk_was_well, self._disk.well
        return self._disk_was_well and not before

    def session(self) -> "AbstractContextManager[DictCursor]":
        """A session of root's. Raises pymysql.Error, OSError."""
        return asking.root(self.zone, self._password)

    def give_up(self) -> None:
        """Seek no office for a while: another may have what this one cannot apply."""
        self._unfit_until = time.monotonic() + UNFIT_FOR_S

    def fence(self) -> None:
        """kill -9. Nothing gentler: a writer that is asked to stop may acknowledge what nobody has."""
        for pid in _pids(self.zone.files("database") / config.OPTIONS):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def apply_everything(self) -> None:
        """Receive nothing more, and apply all that was received, however long it takes. Raises Broken."""
        with self.session() as cursor:
            cursor.execute("STOP SLAVE IO_THREAD")
            while not _all_applied(cursor):
                time.sleep(APPLIED_POLL_S)

    def follow_nobody(self) -> None:
        """Be no replica any more. Only after everything was applied: the relay log goes."""
        with self.session() as cursor:
            cursor.execute("STOP SLAVE")
            cursor.execute("RESET SLAVE ALL")

    def open(self, epoch: int) -> None:
        """Take writes, without waiting for anybody. Only after the votes know it."""
        user = f"`{config.REPLICATION_USER}`@'%%'"
        password = hashes.native(self._replication_password)
        with self.session() as cursor:
            cursor.execute("SET GLOBAL rpl_semi_sync_master_enabled=0")
            cursor.execute("CREATE SCHEMA IF NOT EXISTS cordillera")
            cursor.execute(PROMOTION_TABLE)
            for verb in ("CREATE USER IF NOT EXISTS", "ALTER USER"):
                cursor.execute(f"{verb} {user} IDENTIFIED BY PASSWORD %s", (password,))
            cursor.execute(
                f"GRANT REPLICATION SLAVE, SLAVE MONITOR, BINLOG MONITOR ON *.* TO {user.replace('%%', '%')}"
            )
            cursor.execute(
                "INSERT IGNORE INTO cordillera.promotion (epoch, zone) VALUES (%s, %s)",
                (epoch, self.zone.name),
            )
            cursor.execute("SET GLOBAL read_only=0")

    def wait_for_all(self) -> str:
        """Have commits wait for a second zone; the GTID up to which they did not."""
        with self.session() as cursor:
            cursor.execute("SET GLOBAL rpl_semi_sync_master_enabled=1")
            return str(asking.one(cursor, "SELECT @@gtid_binlog_pos AS g")["g"])

    def stop_waiting(self) -> None:
        """Acknowledge commits alone. Only after the votes know it."""
        with self.session() as cursor:
            cursor.execute("SET GLOBAL rpl_semi_sync_master_enabled=0")

    def follow(self, address: str, found: Server) -> None:
        """Replicate from `address`, from where our own data ends."""
        with self.session() as cursor:
            cursor.execute("SET GLOBAL read_only=1, GLOBAL rpl_semi_sync_master_enabled=0")
            if found.follows == address and found.receive_error != ACCESS_DENIED:
                cursor.execute("START SLAVE")
                return
            cursor.execute("STOP SLAVE")
            _begin_at(cursor, found)
            cursor.execute(
                "CHANGE MASTER TO MASTER_HOST=%s, MASTER_PORT=%s, MASTER_USER=%s, "
                "MASTER_PASSWORD=%s, MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1, "
                "MASTER_HEARTBEAT_PERIOD=2",
                (address, config.PORT, config.REPLICATION_USER, self._replication_password),
            )
            for note in asking.copy_notes(self.zone):
                note.unlink(missing_ok=True)
            cursor.execute("START SLAVE")


def _begin_at(cursor: "DictCursor", found: Server) -> None:
    """A copy begins where the writer was when it was taken; who wrote itself, where it stopped."""
    if found.follows:
        return
    if found.copy_of:
        cursor.execute("SET GLOBAL gtid_slave_pos=%s", (found.copy_of,))
    elif found.known:
        cursor.execute("SET GLOBAL gtid_slave_pos=@@gtid_current_pos")


def _all_applied(cursor: "DictCursor") -> bool:
    """Whether nothing received is left to apply. Raises Broken when it cannot be applied."""
    status = asking.one(cursor, "SHOW SLAVE STATUS")
    if not status:
        return True
    if int(status["Last_SQL_Errno"] or 0):
        raise Broken(f"the relay log cannot be applied: {status['Last_SQL_Error']}")
    if status["Slave_SQL_Running"] != "Yes":
        cursor.execute("START SLAVE SQL_THREAD")
        return False
    applied = asking.gtids(str(asking.one(cursor, "SELECT @@gtid_slave_pos AS g")["g"] or ""))
    return asking.reached(asking.gtids(str(status["Gtid_IO_Pos"] or "")), applied)


def _pids(options: Path) -> Iterator[int]:
    """Servers of this zone, also one that is only starting."""
    flag = f"--defaults-file={options}".encode()
    return matching(lambda words: words[0].endswith(b"mariadbd") and flag in words)
