"""A rehearsal as a person calls it: the ledger under load, a zone lost meanwhile, a report."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli import run
from tests.cli.run import EXAMPLES, Shell

pytestmark = pytest.mark.slow
NAME = "zone/rehearsal"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Shell]:
    """The example, up."""
    folder = tmp_path / "ledger"
    shutil.copytree(EXAMPLES / "ledger", folder)
    with run.shell(folder) as made:
        up = made.run("up", NAME)
        assert up.returncode == 0, up.stderr
        yield made


def test_a_zone_is_lost_under_load_and_nothing_that_was_acknowledged(ledger: Shell) -> None:
    page = ledger.folder / "rehearsal.html"

    done = ledger.run(
        "--env", NAME, "rehearse", "load", "--seconds", "30", "--rate", "40", "--lose", "b",
        "--report", str(page), "--json",
    )  # fmt: skip

    told = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    for kind in ("database", "cache", "objects", "queue"):
        assert int(told[f"{kind}: acknowledged"]) > 0
        assert told[f"{kind}: lost"] == "0"
    assert "zone b" in page.read_text()
