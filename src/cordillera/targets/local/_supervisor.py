"""A zone's supervisor: PID 1 of the zone, started by us, spoken to over its Unix socket."""

import http.client
import os
import time
import xmlrpc.client
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cordillera.core import files, process
from cordillera.core.errors import NotReady
from cordillera.targets.local import _found, _sandbox, _supervisor_config, _supervisor_rpc
from cordillera.targets.local._net import PROBE_TIMEOUT_S
from cordillera.targets.local._site import Site, Zone

CALL_TIMEOUT_S = 60.0
FINISH_WITHIN_S = 60.0
LAUNCH_WITHIN_S = 15.0


@dataclass(frozen=True)
class Program:
    """What the supervisor says of one program. `pid` is the zone's own numbering."""

    name: str
    state: str
    pid: int
    exit_status: int
    spawn_error: str


class Supervisor:
    """One zone's supervisor. Every verb may be called twice."""

    def __init__(self, site: Site, zone: Zone) -> None:
        self._site, self._zone = site, zone

    def answers(self) -> bool:
        """Whether it is up and not frozen."""
        try:
            return bool(self._ask(PROBE_TIMEOUT_S, "getPID"))
        except _supervisor_rpc.TROUBLE:
            return False

    def launch(self) -> None:
        """Start it as PID 1 of the zone, unless it answers."""
        if self.answers():
            return
        self.kill()
        run = self._zone.run
        files.make_folder(run)
        for folder in (run / "programs", run / "exec"):
            files.make_folder(folder, mode=0o700)
        (run / "supervisor.sock").unlink(missing_ok=True)
        for stale in run.glob(f"exec/*{_found.RUNNING}"):
            stale.unlink()  # its pids are those of the zone's life before
        config = run / "supervisord.conf"
        user = "root" if process.is_root() else str(os.getuid())
        files.write(config, _supervisor_config.SUPERVISOR.format(run=run, user=user), mode=0o600)
        process.detach(
            [*_sandbox.zone(self._site, self._zone), *_supervisor_config.command(config)],
            log=run / "supervisor.out",
            env=self._environment(),
        )

    def programs(self) -> dict[str, Program]:
        """What it runs. Raises NotReady when it does not answer."""
        try:
            rows: Any = self._ask(PROBE_TIMEOUT_S, "getAllProcessInfo")
        except _supervisor_rpc.TROUBLE as e:
            raise NotReady(f"zone {self._zone.name}: its supervisor does not answer ({e})") from e
        return {
            str(r["name"]): Program(
                str(r["name"]),
                str(r["statename"]),
                int(r["pid"]),
                int(r["exitstatus"]),
                str(r["spawnerr"]),
            )
            for r in rows
        }

    def put(self, name: str, config: str, *, restart: bool) -> None:
        """Run a program under that configuration; restart it when it runs and `restart` says so."""
        path = self._zone.run / "programs" / f"{name}.conf"
        changed = files.write(path, config, mode=0o600)
        group = name
        running = self._group_names()
        if group in running and changed:
            self.remove(name, keep_config=True)
            running = running - {group}
        if group not in running:
            self._call("reloadConfig")
            self._call("addProcessGroup", group)
        elif restart:
            self._call("stopProcessGroup", group, True)
            self._call("startProcessGroup", group, False)

    def start(self, name: str) -> None:
        """Start a program that is configured and stopped."""
        self._call("startProcessGroup", name, False)

    def remove(self, name: str, *, keep_config: bool = False) -> None:
        """Stop a program, wait for its end, forget it."""
        if name in self._group_names():
            self._call("stopProcessGroup", name, True)
            self._call("removeProcessGroup", name)
        if not keep_config:
            (self._zone.run / "programs" / f"{name}.conf").unlink(missing_ok=True)

    def signal(self, name: str, signal_name: str) -> None:
        """Send a signal to a program."""
        self._call("signalProcessGroup", name, signal_name)

    def shutdown(self) -> None:
        """Ask it to stop everything and itself; returns at once."""
        try:
            self._ask(PROBE_TIMEOUT_S, "shutdown")
        except _supervisor_rpc.TROUBLE:
            return

    def finish(self, *, within_s: float = FINISH_WITHIN_S) -> None:
        """Stop everything gracefully, services first; what has not ended by then is killed."""
        if self.answers():
            deadline = time.monotonic() + within_s
            with suppress(NotReady):
                self._stop_in_waves(deadline)
            self.shutdown()
            while self._processes() and time.monotonic() < deadline:
                time.sleep(0.05)
        self.kill()

    def _stop_in_waves(self, deadline: float) -> None:
        """Stop all of one priority together: by itself the supervisor ends one program a second."""
        rows: Any = self._call("getAllConfigInfo")
        waves: dict[int, set[str]] = {}
        for row in rows:
            waves.setdefault(int(row["group_prio"]), set()).add(str(row["group"]))
        for priority in sorted(waves, reverse=True):
            for group in waves[priority]:
                self._call("stopProcessGroup", group, False)
            while self._alive() & waves[priority] and time.monotonic() < deadline:
                time.sleep(0.05)

    def _alive(self) -> set[str]:
        """Groups that have a process."""
        rows: Any = self._call("getAllProcessInfo")
        return {str(row["group"]) for row in rows if row["pid"]}

    def pid(self) -> int:
        """Its pid as the machine sees it; 0 when it does not run."""
        found = self._processes()
        return next((f.pid for f in found if f.inner_pid == 1), found[-1].pid if found else 0)

    def kill(self) -> None:
        """kill -9 of it: in a PID namespace everything in the zone ends with it."""
        _found.kill(self._processes())

    def _processes(self) -> list[_found.Found]:
        key = f"zone/{self._zone.name}"
        return [f for f in _found.scan(self._site.environment) if f.key == key]

    def _environment(self) -> dict[str, str]:
        key = f"zone/{self._zone.name}"
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "ignore",
            _found.MARK: _found.mark(self._site.environment, key, "-"),
        }

    def _group_names(self) -> set[str]:
        rows: Any = self._call("getAllProcessInfo")
        return {str(row["group"]) for row in rows}

    def _call(self, verb: str, *args: object) -> Any:
        try:
            return self._ask(CALL_TIMEOUT_S, verb, *args)
        except xmlrpc.client.Fault as e:
            if e.faultString.split(":")[0] in ("ALREADY_ADDED", "ALREADY_STARTED", "NOT_RUNNING"):
                return None
            raise NotReady(f"zone {self._zone.name}: {verb} {args}: {e.faultString}") from e
        except xmlrpc.client.ProtocolError as e:
            raise NotReady(
                f"zone {self._zone.name}: its supervisor could not {verb} {args}",
                hint=f"see the end of {self._zone.run}/supervisor.log",
            ) from e
        except (OSError, http.client.HTTPException) as e:
            raise NotReady(f"zone {self._zone.name}: its supervisor does not answer ({e})") from e

    def _ask(self, timeout_s: float, verb: str, *args: object) -> Any:
        return _supervisor_rpc.ask(self._zone.socket, timeout_s, verb, *args)


def wait_for(supervisor: Supervisor, zone: Zone) -> None:
    """Return once it answers. Raises NotReady when it does not."""
    deadline = time.monotonic() + LAUNCH_WITHIN_S
    while not supervisor.answers():
        if time.monotonic() > deadline:
            raise NotReady(
                f"zone {zone.name}: its supervisor did not start",
                hint=f"look into {zone.run}/supervisor.out",
            )
        time.sleep(0.05)
