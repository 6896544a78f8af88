"""Locks that a killed holder frees: `flock`, never "the file exists"."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cordillera.core.errors import Refused


@contextmanager
def held(path: Path, *, holder: str, what: str) -> Iterator[None]:
    """Hold `path` for the block. Raises Refused, naming the holder, when somebody else has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            who = file.read().strip() or "somebody"
            raise Refused(
                f"{what} is busy: {who}", hint="wait until it is done, then repeat"
            ) from None
        file.truncate(0)
        file.write(f"{holder} (pid {os.getpid()})\n")
        file.flush()
        yield
        file.truncate(0)


@contextmanager
def queued(path: Path) -> Iterator[None]:
    """Hold `path` for the block, waiting for it: for turns that take milliseconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
