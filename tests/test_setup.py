"""Installing starts no server: not now, and not at the next boot. The machine itself is not touched."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STANDINS = {
    "id": "echo 1000",  # so that whatever needs root goes to the stand-in for sudo
    "sudo": """\
echo "$*" >>log
case "$*" in *" install "*)
    echo podman >>there
    [ ! -e broken ] || exit 100 ;;
esac""",
    "dpkg-query": """\
case "$1" in
-W) sed 's/^/installed /' there; echo config-files gone ;;
-L) cat "files-$2" ;;
esac""",
}
FILES = {
    "redis-server": ["/lib/systemd/system/redis-server.service", "/etc/init.d/redis-server"],
    "podman": [
        "/lib/systemd/system/podman.socket",
        "/usr/lib/systemd/system/podman.service",
        "/lib/systemd/system/podman-kube@.service",
        "/lib/systemd/user/podman.socket",
        "/etc/init.d/podman",
        "/usr/share/doc/podman/podman.service",
    ],
}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with stand-ins for what would change the machine; redis-server is there already."""
    for name, text in STANDINS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\ncd {tmp_path}\n{text}\n")
        (tmp_path / name).chmod(0o755)
    for package, files in FILES.items():
        (tmp_path / f"files-{package}").write_text("\n".join(files) + "\n")
    (tmp_path / "there").write_text("redis-server\n")
    return tmp_path


def install(machine: Path) -> tuple[int, list[str]]:
    """The exit status, and what would have been done as root."""
    done = subprocess.run(
        [ROOT / "scripts/packages", "podman"], capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": f"{machine}:{os.environ['PATH']}"},
    )  # fmt: skip
    return done.returncode, (machine / "log").read_text().splitlines()


def disabled(log: list[str]) -> set[str]:
    return {line for line in log if "disable" in line}


HELPER = "env DPKG_MAINTSCRIPT_PACKAGE=cordillera deb-systemd-helper"
PODMAN = {
    f"{HELPER} disable podman.socket",
    f"{HELPER} disable podman.service",
    f"{HELPER} --user disable podman.socket",
    "update-rc.d podman disable",
}


def test_whatever_came_with_a_package_stays_disabled_and_what_was_there_is_left(
    machine: Path,
) -> None:
    status, log = install(machine)

    assert status == 0
    assert disabled(log) == PODMAN
    assert any("--no-install-recommends" in line and "podman" in line for line in log)


def test_what_came_before_a_failure_is_disabled_too(machine: Path) -> None:
    (machine / "broken").touch()

    status, log = install(machine)

    assert status == 100
    assert disabled(log) == PODMAN


def test_nothing_is_installed_but_by_that_script() -> None:
    found = [
        path.name for path in (ROOT / "scripts").iterdir() if "apt-get install" in path.read_text()
    ]

    assert found == ["packages"]
