"""The words of the command, on a running hello."""

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.request

import pytest
from tests.cli.run import MANIFEST, Shell

from cordillera.cli.main import hoisted, with_system_folders


def get(shell: Shell, path: str = "/") -> str:
    status = json.loads(shell.run("status", "--json").stdout)
    trust = ssl.create_default_context(cafile=str(shell.home / "state/acme/test/ca.pem"))
    with urllib.request.urlopen(status["url"] + path, context=trust, timeout=5) as answer:
        return str(answer.read().decode())


def test_options_of_all_commands_may_stand_anywhere() -> None:
    assert hoisted(["status", "--env", "a/b", "-q"]) == ["--env", "a/b", "-q", "status"]
    assert hoisted(["run", "web", "--", "x", "--env", "y"]) == [
        "run",
        "web",
        "--",
        "x",
        "--env",
        "y",
    ]
    assert hoisted(["logs", "-f"]) == ["logs", "-f"]


def test_help_needs_no_models_and_no_server_code() -> None:
    code = "import sys; from cordillera.cli import main; print(*sys.modules)"
    argv = [sys.executable, "-c", code]
    loaded = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()

    assert {"pydantic", "yaml", "cryptography", "cordillera.targets.local"} & set(loaded) == set()


def test_servers_are_found_where_debians_su_does_not_look() -> None:
    assert with_system_folders("/usr/bin:/sbin") == "/usr/bin:/sbin:/usr/local/sbin:/usr/sbin"


@pytest.mark.slow
def test_a_day_with_hello(shell: Shell) -> None:
    up = shell.run("up")
    assert up.returncode == 0, up.stderr
    assert "https://localhost" in up.stdout
    assert "ssh -L" in up.stdout
    assert "ca.pem" in up.stdout
    assert "Hello from zone" in get(shell)

    assert "Nothing to change." in shell.run("plan").stdout
    assert "Nothing to change." in shell.run("plan", "--offline").stdout
    assert "nothing to change" in shell.run("up").stdout
    told = json.loads(shell.run("status", "--json").stdout)
    assert {"environment", "url", "healthy", "services", "resources", "zones"} <= set(told)
    assert {k: told["services"]["web"][k] for k in ("desired", "running", "healthy")} == {
        "desired": 2, "running": 2, "healthy": 2,
    }  # fmt: skip
    assert all(zone["healthy"] for zone in told["zones"].values())
    assert shell.run("up", "-q").stdout.strip() == told["url"]
    shell.manifest(MANIFEST + "  globex/test: {target: local}\n")
    listed = json.loads(shell.run("environments", "--json").stdout)
    assert [(e["environment"], e["state"]) for e in listed] == [
        ("acme/test", "healthy"), ("globex/test", "not made yet"),
    ]  # fmt: skip
    shell.manifest()

    assert "listening on" in shell.run("logs", "web").stdout
    assert "listening on" in shell.run("logs", "web", "--since", "1h").stdout
    assert len(shell.run("logs", "web", "--tail", "1").stdout.splitlines()) == 2
    silent = shell.run("logs", "web", "--since", "0s")
    assert (silent.returncode, silent.stdout) == (0, "")
    assert "web has printed nothing since 20" in silent.stderr
    assert "no service called wbe" in shell.run("logs", "wbe").stderr
    assert (
        shell.run("run", "web", "--", "sh", "-c", "echo $CORDILLERA_ENVIRONMENT; exit 9").returncode
        == 9
    )
    assert "CORDILLERA_ZONE=a" in shell.run("vars", "web").stdout
    assert shell.run("open").stdout.strip() == told["url"]
    assert "\x1b[" not in shell.run("status").stdout

    assert shell.run("down").returncode == 0
    assert shell.run("status").returncode == 1
    assert shell.run("up").returncode == 0
    refused = shell.run("destroy")
    assert refused.returncode == 3
    assert "--yes-delete-data acme/test" in refused.stderr
    assert shell.run("destroy", "--yes-delete-data", "acme/test").returncode == 0
    assert [p for p in shell.home.rglob("*") if p.is_file()] == []


@pytest.mark.slow
def test_secrets_are_masked_sealed_and_gone_when_removed(shell: Shell) -> None:
    shell.manifest(MANIFEST.replace("scale: 2", "secrets: [API_TOKEN]"))
    assert shell.run("secrets", "set", "API_TOKEN", stdin="hunter2secret").returncode == 0
    assert shell.run("up").returncode == 0

    assert "API_TOKEN=********" in shell.run("vars", "web").stdout
    assert "API_TOKEN=hunter2secret" in shell.run("vars", "web", "--reveal").stdout
    assert shell.run("secrets", "list").stdout.split() == ["API_TOKEN"]
    state = [p for p in (shell.home / "state").rglob("*") if p.is_file()]
    assert not [p for p in state if b"hunter2secret" in p.read_bytes()]
    everybody = subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout
    assert "hunter2secret" not in everybody
    assert shell.run("secrets", "get", "API_TOKEN").stdout == "hunter2secret\n"
    unknown = shell.run("secrets", "get", "API_TOKNE")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "no secret called API_TOKNE" in unknown.stderr
    rotated = shell.run("secrets", "rotate", "db")
    assert rotated.returncode == 1 and "not offered on local" in rotated.stderr
    assert shell.run("secrets", "rm", "API_TOKEN").returncode == 0
    assert shell.run("plan").returncode == 2


@pytest.mark.slow
def test_a_second_up_is_refused_and_names_the_first(shell: Shell) -> None:
    shell.manifest(MANIFEST.replace("scale: 2", "release: sleep 4"))
    first = shell.start("up")
    lock = shell.home / "state/locks/acme+test.lock"
    while not (lock.exists() and lock.read_text()):
        time.sleep(0.05)

    second = shell.run("up")

    assert second.returncode == 3
    assert "acme/test is busy: `cordillera up` of" in second.stderr
    assert f"(pid {first.pid})" in second.stderr
    assert first.wait(timeout=60) == 0
    first.communicate()


@pytest.mark.slow
def test_killed_at_any_unit_up_ends_where_it_would_have(shell: Shell) -> None:
    for unit in range(1, 40, 3):
        doomed = shell.start("up")
        assert doomed.stdout is not None
        seen = 0
        while seen < unit and doomed.stdout.readline():
            seen += 1
        os.kill(doomed.pid, signal.SIGKILL)
        doomed.communicate()

        again = shell.run("up")
        assert again.returncode == 0, (unit, again.stderr)
        assert json.loads(shell.run("status", "--json").stdout)["healthy"]
        assert "Nothing to change." in shell.run("plan").stdout
        shell.run("destroy", "--yes-delete-data", "acme/test")
        if seen < unit:
            break


@pytest.mark.slow
def test_a_new_release_takes_over_and_names_itself(shell: Shell) -> None:
    shell.run("up")
    before = re.search(r"Release</dt><dd>(\w+)", get(shell))
    (shell.folder / "app.py").write_text((shell.folder / "app.py").read_text() + "\n# new\n")

    assert shell.run("up").returncode == 0

    after = re.search(r"Release</dt><dd>(\w+)", get(shell))
    assert before and after
    assert before[1] != after[1]
    copies = json.loads(shell.run("status", "--json").stdout)["services"]["web"]["copies"]
    assert {copy["release"] for copy in copies} == {after[1]}
