"""The end of a log, for people."""

from pathlib import Path

TAIL_BYTES = 16_384


def log_tail(path: Path, lines: int = 5) -> list[str]:
    """The last lines of a log; none when there is no log."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return file.read().decode(errors="replace").splitlines()[-lines:]
