"""A shell in a folder with the hello app."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.run import HELLO, Shell


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Cleaned up whatever happens."""
    home = Path(tempfile.mkdtemp(prefix="crd"))
    home.chmod(0o711)
    made = Shell(tmp_path, home)
    made.manifest()
    (tmp_path / "app.py").write_text(HELLO)
    try:
        yield made
    finally:
        made.clean()
