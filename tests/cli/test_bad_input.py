"""What cannot work is refused with a sentence, a hint and an exit status, and nothing is left half-way."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest
from tests.cli.run import MANIFEST, Shell

from cordillera.core.process import is_root
from cordillera.targets.local import programs

needs_root = pytest.mark.skipif(not is_root(), reason="mounting and changing the user need root")


def hinted(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether what failed says what to do about it, and shows no trace of ours."""
    return "\n  try: " in done.stderr and "Traceback" not in done.stderr


def untouched(shell: Shell) -> bool:
    return not list(shell.home.rglob("*.json"))


def test_an_unknown_key(shell: Shell) -> None:
    shell.manifest(MANIFEST.replace("scale: 2", "scael: 2"))

    done = shell.here("up")

    assert done.returncode == 2

    assert hinted(done)
    assert "cordillera.yaml:7:5" in done.stderr
    assert "did you mean scale" in done.stderr
    assert untouched(shell)


@pytest.mark.parametrize(
    ("since", "said"),
    [("yesterday", "'yesterday' is neither a span nor a time"), ("2999-01-01", "still to come")],
)
def test_a_time_that_logs_cannot_begin_at(since: str, said: str, shell: Shell) -> None:
    done = shell.run("logs", "--since", since)

    assert done.returncode == 2
    assert hinted(done)
    assert said in done.stderr


def test_no_manifest(shell: Shell) -> None:
    (shell.folder / "cordillera.yaml").unlink()

    done = shell.here("up")

    assert done.returncode == 2

    assert hinted(done)
    assert "cordillera init" in done.stderr


def test_an_image_and_no_engine(shell: Shell) -> None:
    for name in ("docker", "podman"):  # as when the client is installed and its daemon is not
        (shell.folder / name).write_text("#!/bin/sh\nexit 1\n")
        (shell.folder / name).chmod(0o755)
    shell.variables["PATH"] = f"{shell.folder}:{os.environ['PATH']}"
    shell.manifest(MANIFEST.replace("command: exec python3 app.py", "image: hello:1"))

    done = shell.run("up")  # a process remembers which engine answered

    assert done.returncode == 3

    assert hinted(done)
    assert "container engine" in done.stderr
    assert "build" in done.stderr
    assert untouched(shell)


def test_two_public_services(shell: Shell) -> None:
    second = "  api: {command: serve, public: true}\nenvironments:"
    shell.manifest(MANIFEST.replace("environments:", second))

    done = shell.here("up")

    assert done.returncode == 3

    assert hinted(done)
    assert "both public" in done.stderr


def test_a_secret_that_nobody_set(shell: Shell) -> None:
    shell.manifest(MANIFEST.replace("scale: 2", "secrets: [API_TOKEN]"))

    done = shell.here("up")

    assert done.returncode == 2

    assert hinted(done)
    assert "API_TOKEN" in done.stderr
    assert "secrets set API_TOKEN" in done.stderr


def test_an_unknown_environment(shell: Shell) -> None:
    done = shell.here("status", "--env", "acme/tset")

    assert done.returncode == 2

    assert hinted(done)
    assert "no environment called acme/tset" in done.stderr


def test_several_environments_and_none_named(shell: Shell) -> None:
    shell.manifest(MANIFEST + "  globex/test: {target: local}\n")

    done = shell.here("up")

    assert done.returncode == 2

    assert hinted(done)
    assert "acme/test, globex/test" in done.stderr
    assert "--env acme/test" in done.stderr


def test_a_target_that_is_not_there(shell: Shell) -> None:
    shell.manifest(MANIFEST.replace("target: local", "target: mainframe"))

    done = shell.here("up")

    assert done.returncode == 2

    assert hinted(done)
    assert "mainframe" in done.stderr
    assert "local" in done.stderr


def test_a_port_that_is_taken(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = shell.here("up", "--listen", address)

    assert done.returncode == 1

    assert hinted(done)
    assert f"{address} is taken" in done.stderr
    assert "--listen" in done.stderr
    assert untouched(shell)


@pytest.mark.slow
def test_a_port_that_is_taken_while_it_comes_up(shell: Shell) -> None:
    shell.manifest(MANIFEST.replace("scale: 2", "release: sleep 3"))
    memory = shell.home / "state/acme/test/intent.json"
    doomed = shell.start("up")
    while not memory.exists():
        time.sleep(0.05)
    host, _, port = json.loads(memory.read_text())["listen"].rpartition(":")
    with socket.create_server((host, int(port))):
        _, told = doomed.communicate(timeout=60)

    assert doomed.returncode == 1
    assert f"acme/test: {host}:{port} is taken by" in told
    assert "--listen" in told
    assert shell.run("up").returncode == 0


def test_an_address_that_is_none(shell: Shell) -> None:
    done = shell.here("up", "--listen", "everywhere")

    assert done.returncode == 2

    assert hinted(done)
    assert "is not an address" in done.stderr


def test_a_missing_program(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.contract.rigs import wanted

    from cordillera.core.errors import CordilleraError

    there = programs.find
    monkeypatch.setattr(programs, "find", lambda name: None if name == "haproxy" else there(name))

    with pytest.raises(CordilleraError) as found:
        programs.check(wanted())

    assert "haproxy (for the balancer)" in str(found.value)
    assert found.value.hint == "apt-get install --no-install-recommends haproxy"
    assert found.value.exit_status == 1


@pytest.mark.slow
def test_a_command_that_exits_at_once(shell: Shell) -> None:
    shell.manifest(MANIFEST.replace("exec python3 app.py", "echo about to fail; exit 7"))

    done = shell.run("up")

    assert done.returncode == 1

    assert hinted(done)
    assert "ended at once, 2 times (exit status 7" in done.stderr
    assert "| about to fail" in done.stderr


@pytest.mark.slow
def test_a_health_check_that_never_passes(shell: Shell) -> None:
    shell.manifest(MANIFEST.replace("path: /healthz, start: 20s", "path: /nothing, start: 3s"))

    done = shell.run("up")

    assert done.returncode == 1

    assert hinted(done)
    assert "was not up after 3 s: /nothing answered HTTP 404" in done.stderr
    assert '"status": 404' in done.stderr  # the end of its log


@pytest.mark.slow
def test_a_build_that_fails(shell: Shell) -> None:
    build = 'build: {run: "echo no such thing; exit 4"}\n    command:'
    shell.manifest(MANIFEST.replace("command:", build))

    done = shell.run("up")

    assert done.returncode == 1

    assert hinted(done)
    assert "the build exited 4" in done.stderr
    assert "| no such thing" in done.stderr


@pytest.mark.slow
def test_a_release_command_that_fails(shell: Shell) -> None:
    shell.manifest(MANIFEST.replace("scale: 2", 'release: "echo cannot migrate; exit 5"'))

    done = shell.run("up")

    assert done.returncode == 1

    assert hinted(done)
    assert "the release command of web exited 5" in done.stderr
    assert "| cannot migrate" in done.stderr


@needs_root
@pytest.mark.slow
def test_a_full_disk_and_up_again_when_there_is_room(shell: Shell) -> None:
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=711", "tmpfs", shell.home], check=True
    )
    try:
        done = shell.run("up")

        assert done.returncode == 1

        assert hinted(done)
        assert "disk is full" in done.stderr or "No space left" in done.stderr, done.stderr
        subprocess.run(["mount", "-o", "remount,size=512m", shell.home], check=True)
        shell.home.chmod(0o711)
        assert shell.run("up").returncode == 0
    finally:
        for path in list(shell.home.glob("state/[a-z]*/*/intent.json")):
            name = "/".join(path.parts[-3:-1])
            shell.run("--env", name, "destroy", "--yes-delete-data", name)
        subprocess.run(["umount", shell.home], check=True)


@needs_root
@pytest.mark.slow
def test_without_root_it_runs_and_says_what_is_weaker(shell: Shell) -> None:
    for path in (shell.home, shell.folder):
        os.chown(path, 65534, 65534)
    for parent in shell.folder.parents:
        if str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    shell.folder.chmod(0o755)
    shell.before = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
    shell.variables = {"XDG_RUNTIME_DIR": str(shell.home)}
    if subprocess.run([*shell.argv("--version")], check=False).returncode != 0:
        pytest.skip("other users may not run the Python that runs these tests")

    assert shell.run("up").returncode == 0, shell.run("up").stderr
    told = shell.run("status")
    assert "loopback (none between users of this machine)" in told.stdout
    assert "no root" in shell.run("doctor").stdout
    assert shell.run("destroy", "--yes-delete-data", "acme/test").returncode == 0
    assert [p for p in Path(shell.home).rglob("*") if p.is_file()] == []
