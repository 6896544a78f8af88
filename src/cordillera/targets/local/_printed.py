"""What a program printed: the end of its log, or what came since a time, rotated files included.

Lines have no times. The lengths that a log had, noted while it grew, tell which were there before; what was
printed within a note's interval (ten seconds) before that time is told as well, never too little.
"""

import contextlib
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cordillera.targets.local._logs import KEPT, LENGTHS


@dataclass(frozen=True)
class Length:
    """A log was this many bytes long at that time."""

    at: float
    size: int


def lines(path: Path, *, since: float | None, tail: int | None, end: int) -> list[str]:
    """The last `tail` lines (all if None) printed since a time (ever if None), up to the byte `end`."""
    found = list[str]()
    for file, start in _pieces(path, since, end):
        more = _read(file, start, end if file == path else None)
        found = more + found
        if tail is not None and len(found) >= tail:
            return found[len(found) - tail :]
    return found


def generations(lengths: Sequence[Length], now: int) -> list[list[Length]]:
    """Lengths by the file that they were of, the present one first: a shorter one is another file. Pure."""
    made, before = list[list[Length]]([[]]), 0
    for one in lengths:
        if one.size < before:
            made.append([])
        made[-1].append(one)
        before = one.size
    return [*([[]] if now < before else []), *reversed(made)]


def start(lengths: Sequence[Length], since: float) -> int:
    """Where in a file the lines since a time begin: all before were there earlier. Pure."""
    return max((one.size for one in lengths if one.at < since), default=0)


def _pieces(path: Path, since: float | None, now: int) -> Iterator[tuple[Path, int]]:
    """(file, first byte) of what was printed since then, the newest first."""
    files = [path, *(path.with_name(f"{path.name}.{n}.gz") for n in range(1, KEPT + 1))]
    known = generations(_lengths(path), now) if since is not None else []
    for n, file in enumerate(files):
        if not file.exists():
            continue
        if since is not None and file.stat().st_mtime < since:
            return
        first = start(known[n], since) if since is not None and n < len(known) else 0
        yield file, first
        if first:
            return


def _lengths(path: Path) -> list[Length]:
    folder, found = path.parent, list[Length]()
    for file in (folder / f"{LENGTHS}.1", folder / LENGTHS):
        with contextlib.suppress(FileNotFoundError):
            noted = file.read_text(errors="replace").splitlines()
            found += [one for line in noted if (one := _of(line, path))]
    return found


def _of(line: str, path: Path) -> Length | None:
    words = line.split(" ", 2)
    if len(words) != 3 or words[2] != path.name:
        return None  # another's, or cut short by a kill
    return Length(float(words[0]), int(words[1]))


def _read(file: Path, start: int, end: int | None) -> list[str]:
    """Whole lines: the one that `start` lies in is the first."""
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    begin = data.rfind(b"\n", 0, start) + 1
    return data[begin:end].decode(errors="replace").splitlines()
