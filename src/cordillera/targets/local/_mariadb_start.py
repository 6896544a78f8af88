"""Before each start of a MariaDB server: its data folder is whole, its relay log applied, its role asked.

Run as `python -m cordillera.targets.local._mariadb_start PLAN.json` by the user of the server.
Every step may be interrupted at any point and done again.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from cordillera.core import files, process
from cordillera.core.errors import CommandFailed, NotReady
from cordillera.targets.local._keeper import votes
from cordillera.targets.local._keeper.etcd import Etcd, plain_dial
from cordillera.targets.local._keeper.votes import Votes

INITIALISE_TIMEOUT_S = 120.0
INITIALISE_OPTIONS = (
    "--skip-test-db",
    "--auth-root-authentication-method=normal",
    "--innodb-flush-method=nosync",
    "--innodb-log-file-size=8M",
    "--innodb-buffer-pool-size=16M",
)
"""Nothing is synced while it runs: the whole folder is, once, before it is used."""

DRAIN_TIMEOUT_S = 3600.0
ASK_EVERY_S, PATIENCE_S = 0.2, 6.0
"""So long a server waits for an office holder before it starts on its own, closed."""
KEEP_OLD = "keep-old"
MASTER_HOST_LINE = 3


@dataclass(frozen=True)
class Role:
    """How the server starts: always closed. `give_way`: undo what the writer has not got."""

    give_way: bool = False

    def options(self) -> str:
        return (
            "[mariadbd]\nread_only=1\nrpl_semi_sync_master_enabled=0\n"
            f"init_rpl_role={'SLAVE' if self.give_way else 'MASTER'}\n"
        )


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text())
    folder, run = Path(plan["data"]), Path(plan["run"])
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    (folder / "tmp").mkdir()
    adopt(folder)
    new = initialise(folder)
    with suppress(FileNotFoundError):  # older versions left it open to the group
        (folder / "mysql" / "master.info").chmod(0o600)
    role = Role()
    if followed(folder / "mysql"):
        files.write(folder / "role.cnf", role.options(), mode=0o600)
        drain(folder, run, lambda: is_open_elsewhere(plan))
    elif not new:
        role = agreed(plan)
    files.write(folder / "role.cnf", role.options(), mode=0o600)


def agreed(plan: Mapping[str, Any]) -> Role:
    """The role that the votes leave to a server that followed nobody when it ended."""
    deadline = time.monotonic() + PATIENCE_S
    client = _votes(plan)
    while True:
        with suppress(NotReady):
            seen = votes.read(client)
            role = choose(seen, plan["zone"])
            if role is not None:
                return role
            deadline += ASK_EVERY_S if seen.holder else 0.0
        if time.monotonic() > deadline:
            return Role()
        time.sleep(ASK_EVERY_S)


def _votes(plan: Mapping[str, Any]) -> Etcd:
    return Etcd([(host, port) for host, port in plan["members"]], Path(plan["pem"]), plain_dial)


def choose(seen: Votes, zone: str) -> Role | None:
    """The role to start in; None to wait a little. Pure.

    Only under a writer that is open may we undo what it has not got: until then ours may be needed.
    """
    if seen.record is None or seen.holder == zone:
        return Role()
    return Role(give_way=True) if seen.opened else None


def adopt(folder: Path) -> None:
    """Put a copy that was fetched from the writer in the place of the data folder."""
    data, incoming = folder / "mysql", folder / "incoming"
    if not incoming.exists():
        return
    if data.exists():
        kept = folder / ("diverged" if (incoming / KEEP_OLD).exists() else "replaced")
        shutil.rmtree(kept, ignore_errors=True)
        data.rename(kept)
    incoming.rename(data)
    (data / KEEP_OLD).unlink(missing_ok=True)
    files.sync_folder(folder)
    shutil.rmtree(folder / "replaced", ignore_errors=True)


def initialise(folder: Path) -> bool:
    """Make an empty data folder: aside, then renamed, so that half of one is never used. True if it did."""
    data, aside, log = folder / "mysql", folder / "initial", folder / "initialise.log"
    if data.exists():
        return False
    shutil.rmtree(aside, ignore_errors=True)
    log.unlink(missing_ok=True)
    # Names of temporary tables are made of the pid: two zones with equal pids must not share /tmp.
    where = [f"--datadir={aside}", f"--tmpdir={folder / 'tmp'}"]
    argv = ["mariadb-install-db", "--no-defaults", *where, *INITIALISE_OPTIONS]
    if process.is_root():
        argv.append("--user=root")
    if process.logged(argv, log=log, timeout_s=INITIALISE_TIMEOUT_S) != 0:
        errors = [line for line in log.read_text().splitlines() if "ERROR" in line]
        raise CommandFailed(f"mariadb-install-db failed: {errors[:1]}", hint=f"see {log}")
    sync_tree(aside)
    aside.rename(data)
    files.sync_folder(folder)
    return True


def sync_tree(folder: Path) -> None:
    """Have everything below `folder` on the disk."""
    for path in (folder, *folder.rglob("*")):
        files.sync_folder(path)


def followed(data: Path) -> str:
    """The address of the server that this one replicates from; empty when it is no replica."""
    try:
        lines = (data / "master.info").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return lines[MASTER_HOST_LINE] if len(lines) > MASTER_HOST_LINE else ""


def is_open_elsewhere(plan: Mapping[str, Any]) -> bool:
    """Whether another zone's writer is open: it has all that was acknowledged, and gives it again."""
    with suppress(NotReady):
        seen = votes.read(_votes(plan))
        return seen.opened and seen.holder != plan["zone"]
    return False


def drain(folder: Path, run: Path, others_have_all: Callable[[], bool]) -> None:
    """Apply what the relay log still holds.

    With GTIDs the server throws its relay log away when replication starts after a restart and
    asks the writer again; if the writer is lost, so is what only the relay log had. So a log that
    cannot be applied is given up only if `others_have_all`. Raises CommandFailed otherwise: the
    server does not start, the log stays, and the next start tries again.
    """
    data, script = folder / "mysql", folder / "drain.sql"
    logs = [data / name for name in _index(data / "relay.index") if (data / name).exists()]
    if not logs:
        return
    with _Private(folder, run) as server:
        before = later(*server.positions())
        start = [f"--start-position={before}"] if before else []
        with suppress(CommandFailed):  # a torn last event: what precedes it is in the file
            process.run(
                [
                    "mariadb-binlog",
                    "--no-defaults",
                    *start,
                    f"--result-file={script}",
                    *map(str, logs),
                ],
                timeout_s=DRAIN_TIMEOUT_S,
            )
        server.play(script, others_have_all)
        slave, own = server.positions()
        if later(slave, own) != slave:
            server.query(f"SET GLOBAL gtid_slave_pos='{own}'")
    script.unlink(missing_ok=True)


def later(slave: str, own: str) -> str:
    """Where this server's data ends: what replication noted, unless its own log is further.

    It is when an earlier `drain` was interrupted: then what that one applied must not come again.
    """
    if "," in slave + own or not own:
        return slave
    return own if not slave or int(own.split("-")[2]) > int(slave.split("-")[2]) else slave


def _index(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


class _Private:
    """A server on the data folder that nobody else can reach, for as long as the block runs."""

    def __init__(self, folder: Path, run: Path) -> None:
        self._socket = run / "sockets" / "mariadb-drain.sock"
        self._client = run / "mariadb-client.cnf"
        self._options = run / "mariadb.cnf"
        self._log = folder / "drain.log"
        self._server = Thread(target=self._run, daemon=True)

    def __enter__(self) -> "_Private":
        self._server.start()
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        while self._server.is_alive():
            with suppress(CommandFailed):
                self.query("SHUTDOWN")
            self._server.join(timeout=1.0)

    def _run(self) -> None:
        """In our own process group: what kills us kills it."""
        with suppress(NotReady):
            process.logged(
                ["mariadbd", f"--defaults-file={self._options}", "--skip-networking",
                 "--skip-slave-start", f"--socket={self._socket}", f"--pid-file={self._socket}.pid"],
                log=self._log, timeout_s=DRAIN_TIMEOUT_S,
            )  # fmt: skip

    def query(self, statement: str) -> str:
        """The answer as lines of tab-separated values."""
        return process.run(
            ["mariadb", f"--defaults-file={self._client}", f"--socket={self._socket}",
             "--skip-column-names", "--batch", f"--execute={statement}"],
            timeout_s=DRAIN_TIMEOUT_S,
        )  # fmt: skip

    def play(self, script: Path, may_be_given_up: Callable[[], bool]) -> None:
        """Run a file of statements; what is given up is kept as `undrained.sql` for a person.

        Raises CommandFailed when it fails and must not be given up.
        """
        try:
            self.query(f"source {script}")
        except CommandFailed as e:
            if not may_be_given_up():
                raise CommandFailed(
                    f"the relay log could not be applied, and nobody else has what is in it: {e}",
                    hint="it stays where it is; the next start tries again",
                ) from e
            kept = script.with_name("undrained.sql")
            script.rename(kept)
            print(f"the relay log could not be applied, kept as {kept}: {e}", file=sys.stderr)

    def positions(self) -> tuple[str, str]:
        """GTIDs applied by replication, and written to the own log."""
        slave, _, own = (
            self.query("SELECT @@gtid_slave_pos, @@gtid_binlog_pos").strip("\n").partition("\t")
        )
        return slave, own

    def _wait(self) -> None:
        while self._server.is_alive():
            with suppress(CommandFailed):
                self.query("SELECT 1")
                return
            time.sleep(0.05)
        raise CommandFailed(f"mariadbd ended: {process.last_line(self._log.read_text())}")


if __name__ == "__main__":
    main()
