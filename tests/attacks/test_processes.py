"""Other services' processes, capabilities, namespaces, and marks that an app may forge."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cordillera.targets.local import _found
from tests.attacks.town import Town, running

pytestmark = pytest.mark.slow

STATUS = """
import json, os
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({key: status[key].strip() for key in
      ("CapEff", "CapPrm", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")}))
"""
OTHERS = """
import json, os
seen, users = [], set()
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) not in (os.getpid(), os.getppid()):
        users.add(os.stat("/proc/" + name).st_uid)
        for file in ("environ", "cmdline"):
            try:
                seen.append(open(f"/proc/{name}/{file}", "rb").read().decode(errors="replace"))
            except OSError:
                pass
print(json.dumps([sorted(users - {os.getuid()}), any("other-service" in one for one in seen)]))
"""
NAMESPACES = """
import ctypes, json, os
libc = ctypes.CDLL(None, use_errno=True)
tried = {}
for name, flag in (("user", 0x10000000), ("mnt", 0x20000), ("net", 0x40000000), ("pid", 0x20000000)):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if libc.unshare(flag) == 0 else 1)
    tried[name] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
tried["mount"] = libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None) == 0
tried["chroot"] = libc.chroot(b"/tmp") == 0
tried["setuid"] = libc.setuid(0) == 0
tried["ptrace 1"] = libc.ptrace(16, 1, 0, 0) == 0
tried["kill 1"] = libc.kill(1, 0) == 0
print(json.dumps([name for name, done in tried.items() if done]))
"""


def test_an_app_has_no_capabilities_and_never_will(town: Town) -> None:
    found = town.attack(STATUS)
    assert {found[key] for key in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (found["NoNewPrivs"], found["Seccomp"]) == ("1", "2")


def test_an_app_makes_no_namespace_mounts_nothing_and_ends_nobody(town: Town) -> None:
    assert town.attack(NAMESPACES) == []


def test_an_app_sees_its_own_processes_only(town: Town) -> None:
    assert town.attack(OTHERS) == [[], False]


@pytest.mark.parametrize(
    "part", ["mariadb@a", "redis-cache@a", "nginx-a", "edge-a", "volume@a", "etcd@a"]
)
def test_a_server_has_no_capabilities_and_a_filter(town: Town, part: str) -> None:
    found = next(f for key, f in running(town.ours).items() if key.endswith(f"/{part}"))
    lines = Path(f"/proc/{found.pid}/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines if ":" in line)
    assert {status[key].strip() for key in ("CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"].strip(), status["Seccomp"].strip()) == ("1", "2")
    assert set(status["Uid"].split()) != {"0"}


def test_servers_and_services_have_users_of_their_own(town: Town) -> None:
    owners: dict[str, set[str]] = {}
    for environment in (town.ours, town.theirs):
        site = environment.site
        for key, found in running(environment).items():
            uid = Path(f"/proc/{found.pid}").stat().st_uid
            if uid:
                owners.setdefault(str(uid), set()).add(f"{site.environment} {key.split('/')[0]}")
    apart = [names for names in owners.values() if len({n.split()[0] for n in names}) > 1]
    assert apart == []
    site = town.ours.site
    users = [site.uid(u) for u in ("database", "cache", "objects", "edge", "firewall", "proxy")]
    assert len(set(users) | {site.uid("service/web"), site.uid("service/other")}) == 8


def test_a_mark_that_is_forged_is_not_believed(town: Town) -> None:
    """Root enters the namespaces of what it takes for a zone's first process."""
    forged = _found.mark(town.theirs.want.environment, "zone/a", "-")
    before = {f.pid for f in _found.scan(town.theirs.want.environment)}
    uid = town.ours.site.uid("service/web")
    assert uid is not None
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)", "supervisord.conf", ""],
        env={_found.MARK: forged}, user=uid, group=uid, extra_groups=[],
    )  # fmt: skip
    try:
        assert child.pid not in {f.pid for f in _found.scan(town.theirs.want.environment)} - before
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
