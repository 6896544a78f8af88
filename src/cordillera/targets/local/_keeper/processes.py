"""Which processes of our zone are what: told by their command line or their environment."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path


def matching(fits: Callable[[list[bytes]], bool], *, file: str = "cmdline") -> Iterator[int]:
    """Pids of those whose `/proc/PID/file`, split at its zero bytes, fits; without those that just ended."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            if fits((entry / file).read_bytes().split(b"\0")):
                yield int(entry.name)
