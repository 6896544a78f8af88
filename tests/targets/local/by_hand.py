"""Runs parts of the target `local` without its engine: each process is a child of the test."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree

from cordillera.core.errors import NotReady
from cordillera.core.vault import Vault
from cordillera.targets.local import _proxy, _shim, _start
from cordillera.targets.local._parts import Endpoint, LocalPart, Process, Ready, part
from cordillera.targets.local._site import Isolation, Site

PATIENCE_S = 60.0
NETWORKS = range(20, 60)
"""Loopback networks 127.N that no environment of a user gets."""


def eventually(true: Callable[[], object], what: str, *, within_s: float = PATIENCE_S) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.05)


class Hand:
    """Starts, kills and restarts parts."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._parts: dict[str, LocalPart] = {}
        self._keep: set[str] = set()

    def start(self, *parts: LocalPart) -> None:
        """Start, and wait until each answers."""
        for one in parts:
            self.launch(one)
        for one in parts:
            assert isinstance(one.body, Process)
            self._wait(one)

    def launch(self, one: LocalPart) -> None:
        """Start without waiting."""
        assert isinstance(one.body, Process)
        zone = self.site.zone(one.body.zone)
        _start.place_files(one, self.site)
        argv = [sys.executable, "-I", "-S", _shim.__file__, str(_start.spec_file(zone, one.name))]
        self.running[one.name] = subprocess.Popen(argv, start_new_session=True)
        self._parts[one.name] = one

    def kill(self, name: str) -> None:
        """As a power cut: the whole group at once."""
        process = self.running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def supervise(self) -> None:
        """Start again what ended by itself."""
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                self.launch(self._parts[name])

    def perform(self, attempt: Callable[[], None]) -> None:
        """Repeat a task until it is ready, as the engine does, with a supervisor beside it."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.supervise()
            try:
                return attempt()
            except NotReady:
                assert time.monotonic() < deadline
                time.sleep(0.1)

    def proxy(self, zone_name: str, endpoints: Sequence[Endpoint]) -> None:
        """Start the zone's proxy with these endpoints."""
        zone = self.site.zone(zone_name)
        body = Process(
            argv=("haproxy", "-f", "{run}/proxy.cfg"),
            zone=zone_name,
            user="proxy",
            files={"proxy.cfg": _proxy.config(zone, list(endpoints))},
            ready=Ready("tcp", port=endpoints[0].port),
        )
        self.start(part("proxy", f"proxy@{zone_name}", "proxy", body, self.site.vault.digest))

    def close(self) -> None:
        for name in list(self.running):
            self.kill(name)

    def _wait(self, one: LocalPart) -> None:
        assert isinstance(one.body, Process)
        zone, port = self.site.zone(one.body.zone), one.body.ready.port

        def answers() -> bool:
            code = self.running[one.name].poll()
            log = _start.log_file(zone, one)
            assert code is None, f"{one.name} exited {code}: {log.read_text()[-2000:]}"
            with socket.socket() as made:
                return made.connect_ex((zone.private, port)) == 0

        eventually(answers, one.name)


@contextmanager
def site() -> Iterator[Site]:
    """An environment on loopback addresses that nobody uses, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="crd", dir="/tmp"))
    folder.chmod(0o711)
    made = Site(
        environment="test/byhand", number=_free_network(), isolation=Isolation.LOOPBACK,
        state=folder / "s", run=folder / "r", vault=Vault(folder / "s"),
    )  # fmt: skip
    try:
        for zone in made.domains:
            for path in (zone.state, zone.run):
                path.mkdir(parents=True)
        for path in (made.state, made.state / "zones", made.run):
            path.chmod(0o711)
        for zone in made.domains:
            zone.state.chmod(0o711)
            zone.run.chmod(0o711)
        made.vault.create()
        yield made
    finally:
        rmtree(folder, ignore_errors=True)


def _free_network() -> int:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    for number in NETWORKS[worker::8]:
        if all(_free(f"127.{number}.{zone}0.2") for zone in (1, 2)):
            return number
    raise AssertionError("no loopback network is free")


def _free(address: str) -> bool:
    for port in (3306, 6380):
        with socket.socket() as made:
            if made.connect_ex((address, port)) == 0:
                return False
    return True
