"""Environments that come back when the machine starts, as far as a machine that does not start can tell."""

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.cli.run import MANIFEST, Shell

from cordillera.cli import boot
from cordillera.core import process
from cordillera.core.errors import CordilleraError
from cordillera.targets.local import _found, _intent, network

TWO = MANIFEST + "  globex/test: {target: local}\n"


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemd that notes what it is told; the unit goes into `tmp_path`."""
    told = tmp_path / "bin/systemctl"
    told.parent.mkdir()
    told.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/told\n')
    told.chmod(0o755)
    monkeypatch.setenv("PATH", f"{told.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(boot, "SYSTEMD", tmp_path)
    monkeypatch.setattr(boot, "UNIT", tmp_path / "cordillera.service")
    monkeypatch.setattr(process, "is_root", lambda: True)
    return tmp_path


def unit_command(text: str) -> tuple[list[str], dict[str, str]]:
    """What systemd would run: the command, and the variables it gets besides its own few."""
    lines = [line.partition("=")[::2] for line in text.splitlines()]
    command = next(shlex.split(value) for key, value in lines if key == "ExecStart")
    given = [shlex.split(value)[0].partition("=") for key, value in lines if key == "Environment"]
    return command, {"PATH": "/usr/sbin:/usr/bin", **{name: value for name, _, value in given}}


def power_cut(name: str) -> None:
    """Everything of an environment ends, and what lies in memory is gone."""
    intent = _intent.load(name)
    assert intent is not None
    site = _intent.site_of(intent)
    _found.kill(_found.scan(name))
    network.remove(site)
    shutil.rmtree(site.run, ignore_errors=True)


def test_the_unit_is_installed_once_enabled_and_taken_away(systemd: Path) -> None:
    boot.enable()
    boot.enable()
    assert (systemd / "cordillera.service").exists()
    boot.disable()
    boot.disable()

    assert not (systemd / "cordillera.service").exists()
    told = (systemd / "told").read_text().splitlines()
    assert told == ["daemon-reload", "enable cordillera.service"] * 2 + [
        "disable cordillera.service"
    ]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd's own checker")
def test_systemd_understands_the_unit(systemd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORDILLERA_HOME", "/srv/of clouds")
    boot.enable()
    argv = ["systemd-analyze", "verify", "--man=no", str(systemd / "cordillera.service")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert (done.returncode, [x for x in done.stderr.splitlines() if "cordillera" in x]) == (0, [])


def test_without_systemd_it_says_what_to_run_instead(
    systemd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot, "SYSTEMD", systemd / "nothing")

    with pytest.raises(CordilleraError, match="systemd does not run") as found:
        boot.enable()

    assert found.value.hint.endswith("boot start")


def test_without_root_it_is_refused(systemd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "is_root", lambda: False)

    with pytest.raises(CordilleraError, match="only root"):
        boot.enable()

    assert not (systemd / "cordillera.service").exists()


@pytest.mark.slow
@pytest.mark.skipif(not process.is_root(), reason="without root there is no such unit")
def test_the_units_command_brings_back_what_was_up_as_it_was(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.manifest(TWO)
    for name in ("acme/test", "globex/test"):
        assert shell.run("up", name).returncode == 0
    assert shell.run("down", "globex/test").returncode == 0
    was = json.loads(shell.run("status", "acme/test", "--json").stdout)
    monkeypatch.setenv("CORDILLERA_HOME", str(shell.home))
    command, variables = unit_command(boot.text())
    power_cut("acme/test")
    (shell.folder / "app.py").write_text("this is not a program any more")

    done = subprocess.run(command, cwd="/", env=variables, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    now = json.loads(shell.run("status", "acme/test", "--json").stdout)
    assert (now["healthy"], now["url"]) == (True, was["url"])
    assert {c["release"] for c in now["services"]["web"]["copies"]} == {
        c["release"] for c in was["services"]["web"]["copies"]
    }
    assert not json.loads(shell.run("status", "globex/test", "--json").stdout)["healthy"]


@pytest.mark.slow
def test_one_that_cannot_come_back_is_named_and_holds_up_no_other(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.manifest(TWO)
    for name in ("acme/test", "globex/test"):
        assert shell.run("up", name).returncode == 0
    monkeypatch.setenv("CORDILLERA_HOME", str(shell.home))
    for name in ("acme/test", "globex/test"):
        power_cut(name)
    memory = shell.home / "state/acme/test/intent.json"
    whole = memory.read_text()
    memory.write_text("{")

    done = shell.run("boot", "start")

    assert done.returncode == 1
    assert "acme/test: its memory is unreadable" in done.stderr
    assert json.loads(shell.run("status", "globex/test", "--json").stdout)["healthy"]
    memory.write_text(whole)
