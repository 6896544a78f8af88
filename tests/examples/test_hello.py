"""hello as its visitors see it, and as whoever runs it stops it and has it back."""

import json
import ssl
import urllib.request
from pathlib import Path

import pytest
from tests.cli import run
from tests.cli.run import EXAMPLES, Shell
from tests.targets.local.by_hand import eventually

NAME = "globex/certification"


def page(shell: Shell) -> str:
    """What the published address answers."""
    found = json.loads(shell.run("--env", NAME, "status", "--json").stdout)
    trust = ssl.create_default_context(cafile=str(shell.home / "state" / NAME / "ca.pem"))
    with urllib.request.urlopen(found["url"], context=trust, timeout=5) as answer:
        return str(answer.read().decode())


@pytest.mark.slow
def test_hello_answers_from_both_zones_goes_down_and_leaves_nothing(tmp_path: Path) -> None:
    file, listen = str(EXAMPLES / "hello/cordillera.yaml"), run.free_address()
    with run.shell(tmp_path) as shell:
        up = ("--file", file, "up", NAME, "--listen", listen)
        assert shell.run(*up).returncode == 0
        for zone in "ab":
            eventually(lambda: f"Hello from zone {zone}" in page(shell), f"zone {zone}")  # noqa: B023
        assert shell.run("--env", NAME, "status").returncode == 0

        assert shell.run("--file", file, "down", NAME).returncode == 0
        assert shell.run(*up).returncode == 0
        assert "Hello from zone" in page(shell)
        assert shell.run("--file", file, "destroy", NAME, "--yes-delete-data", NAME).returncode == 0
        assert [p for p in shell.home.rglob("*") if p.is_file()] == []
