"""A shell in a folder with the hello app."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli import run
from tests.cli.run import HELLO, Shell


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Cleaned up whatever happens."""
    with run.shell(tmp_path) as made:
        made.manifest()
        (tmp_path / "app.py").write_text(HELLO)
        yield made
