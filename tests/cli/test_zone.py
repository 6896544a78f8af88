"""Losing a zone by the command line, and what the page and the status say meanwhile."""

import json
import subprocess

import pytest
from tests.cli.run import MANIFEST, Shell
from tests.targets.local.by_hand import eventually

pytestmark = pytest.mark.slow
NAME = "acme/test"


@pytest.fixture(autouse=True)
def allowed(shell: Shell) -> None:
    """The manifest is one of an environment for rehearsals."""
    shell.manifest(MANIFEST.replace("{target: local}", "{target: local, rehearsal: true}"))


def page(shell: Shell, url: str) -> str:
    """The first page, by a client that asks once."""
    argv = ["curl", "-sSk", "--fail", "--max-time", "10", url]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def state(shell: Shell) -> dict[str, object]:
    found: dict[str, object] = json.loads(shell.run("status", "--json").stdout)
    return found


def test_a_zone_is_lost_and_comes_back_while_pages_are_served(shell: Shell) -> None:
    assert shell.run("up").returncode == 0
    url = str(state(shell)["url"])

    assert shell.run("--env", NAME, "zone", "lose", "b").returncode == 0

    for _ in range(20):
        assert "Hello from zone" in page(shell, url)
    lost = shell.run("status")
    assert lost.returncode == 1
    assert "b: its supervisor does not answer" in lost.stdout

    assert shell.run("--env", NAME, "zone", "return", "b").returncode == 0
    eventually(lambda: state(shell)["healthy"], "healthy again")


def test_a_zone_that_there_is_not_is_refused_with_the_list(shell: Shell) -> None:
    assert shell.run("up").returncode == 0

    done = shell.run("--env", NAME, "zone", "lose", "z")

    assert done.returncode == 2
    assert "has no zone called z" in done.stderr
    assert "a, b, witness" in done.stderr
    assert state(shell)["healthy"]


def test_a_rehearsal_of_a_loss_needs_a_healthy_environment(shell: Shell) -> None:
    assert shell.run("up").returncode == 0
    assert shell.run("--env", NAME, "zone", "lose", "b").returncode == 0

    done = shell.run("--env", NAME, "rehearse", "load", "--seconds", "5", "--lose", "a")

    assert done.returncode == 3
    assert "not healthy" in done.stderr


def test_an_app_that_is_not_made_for_rehearsals_is_left_in_peace(shell: Shell) -> None:
    assert shell.run("up").returncode == 0

    done = shell.run("--env", NAME, "rehearse", "load", "--seconds", "5", "--lose", "a")

    assert done.returncode == 3
    assert "does not answer /rehearsal/ (404)" in done.stderr
    assert state(shell)["healthy"]
