"""hello and newsroom for somebody who has no root: a user whom the test makes and of whom nothing is left."""

import os
import pwd
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL

import pytest

from cordillera.core.process import is_root

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_root(), reason="only root can make a user"),
]
TREE = Path(__file__).parents[2]
CHECKS = (
    "tests/examples/test_hello.py",
    "tests/examples/test_newsroom.py::test_what_an_editor_does_is_seen_by_readers",
)
WITHIN_S = 400


@pytest.fixture
def somebody() -> Iterator[pwd.struct_passwd]:
    """An ordinary user with a home; ended and removed whatever happens."""
    name = f"crd{secrets.token_hex(4)}"
    subprocess.run(["useradd", "--create-home", "--shell", "/bin/sh", name], check=True)
    found = pwd.getpwnam(name)
    try:
        yield found
    finally:
        while pids := processes(found.pw_uid):
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, SIGKILL)
        subprocess.run(["userdel", "--remove", name], check=True, capture_output=True)
        for left in belongings(found.pw_uid):
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def processes(uid: int) -> list[int]:
    """Every process of a user that has not ended."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            if entry.stat().st_uid == uid and state != "Z":
                found.append(int(entry.name))
    return found


def belongings(uid: int) -> list[Path]:
    """What a user has in the folders that all share."""
    shared = (Path("/tmp"), Path("/dev/shm"), Path("/var/tmp"))
    return [path for folder in shared for path in folder.iterdir() if path.lstat().st_uid == uid]


def passable(command: list[str]) -> list[str]:
    """The command where the user may read the tree, although it may lie in a closed folder such as /root."""
    way = [*reversed(TREE.parents)]
    closed = next((folder for folder in way if not folder.stat().st_mode & 0o001), None)
    if closed is None:
        return command
    tree, barrier = shlex.quote(str(TREE)), shlex.quote(str(closed))
    script = (
        f"mount --rbind {tree} /mnt && mount -t tmpfs -o mode=755 tmpfs {barrier} && "
        f'mkdir -p {tree} && mount --move /mnt {tree} && exec "$@"'
    )
    return ["unshare", "--mount", "sh", "-c", script, "sh", *command]


def test_hello_and_newsroom_work_without_root(somebody: pwd.struct_passwd) -> None:
    user = str(somebody.pw_uid)
    base = Path(somebody.pw_dir) / "t"  # short: sockets lie below it
    words = ["-q", "-p", "no:cacheprovider", f"--basetemp={base}", *CHECKS]
    argv = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--inh-caps=-all",
            sys.executable, "-m", "pytest", *words]  # fmt: skip
    variables = {
        "HOME": somebody.pw_dir, "USER": somebody.pw_name, "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    done = subprocess.run(
        passable(argv), cwd=TREE, env=variables, text=True, capture_output=True, timeout=WITHIN_S
    )

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "2 passed" in done.stdout
    assert processes(somebody.pw_uid) == []
    assert [p.name for p in belongings(somebody.pw_uid)] == []
