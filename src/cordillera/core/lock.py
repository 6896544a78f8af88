"""Locks that a killed holder frees: `flock`, never "the file exists". The file goes with the block."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from cordillera.core.errors import Refused


@contextmanager
def held(path: Path, *, holder: str, what: str) -> Iterator[None]:
    """Hold `path` for the block. Raises Refused, naming the holder, when somebody else has it."""
    try:
        file = _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused(
            f"{what} is busy: {_holder(path)}", hint="wait until it is done, then repeat"
        ) from None
    with file, _removed(path):
        file.truncate(0)
        file.write(f"{holder} (pid {os.getpid()})\n")
        file.flush()
        yield


@contextmanager
def queued(path: Path) -> Iterator[None]:
    """Hold `path` for the block, waiting for it: for turns that take milliseconds."""
    with _locked(path, fcntl.LOCK_EX), _removed(path):
        yield


def _locked(path: Path, how: int) -> TextIO:
    """The file, locked. Whoever had it before us may have removed its name: then we locked nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = path.open("a+")
        try:
            fcntl.flock(file, how)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    return file
        except BaseException:
            file.close()
            raise
        file.close()


@contextmanager
def _removed(path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(PermissionError):  # another user's, left by one who was killed
            path.unlink(missing_ok=True)


def _holder(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text().strip() or "somebody"
    return "somebody"
