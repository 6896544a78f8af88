"""Files that are whole or absent: written aside, synced, renamed; never through others' links."""

import json
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cordillera.core.errors import CordilleraError

OTHERS_MAY_WRITE = 0o022


def write(
    path: Path,
    text: str,
    *,
    mode: int = 0o644,
    owner: int | None = None,
    group: int | None = None,
) -> bool:
    """Replace `path` by `text`, durably. False when it already said just that.

    `owner` and `group` are numeric; None leaves ours. Raises CordilleraError when root's folder is not its
    alone: whoever else may write to it could have us give away a file that is not meant.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with folder(path.parent) as at:
        if _same(path.name, at, text, mode, owner, group):
            return False
        aside = f".{path.name}.{os.getpid()}.{threading.get_native_id()}"
        with suppress(FileNotFoundError):
            os.unlink(aside, dir_fd=at)
        with os.fdopen(_made(aside, at), "w") as file:
            file.write(text)
            file.flush()
            if owner is not None or group is not None:
                os.fchown(file.fileno(), _or_keep(owner), _or_keep(group))
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.rename(aside, path.name, src_dir_fd=at, dst_dir_fd=at)
        os.fsync(at)
    return True


@contextmanager
def folder(path: Path) -> Iterator[int]:
    """A descriptor of a folder that is no link and, for root, that nobody else may write to.

    Raises CordilleraError.
    """
    try:
        at = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except NotADirectoryError:
        raise CordilleraError(
            f"{path} is a link and should be a folder", hint="remove the link, then repeat"
        ) from None
    try:
        found = os.fstat(at)
        shared = found.st_uid != os.geteuid() or found.st_mode & OTHERS_MAY_WRITE
        if shared and os.geteuid() == 0:
            raise CordilleraError(
                f"{path} is writable by others, so nothing was written there",
                hint=f"look at what is in it, then: chown {os.geteuid()} {path} && chmod go-w {path}",
            )
        yield at
    finally:
        os.close(at)


def make_folder(
    path: Path, *, mode: int = 0o711, owner: int | None = None, group: int | None = None
) -> None:
    """Have the folder, with that mode and owner; missing parents are made ours. May be called twice.

    Its parent must be ours alone. Raises CordilleraError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with folder(path.parent) as parent:
        with suppress(FileExistsError):
            os.mkdir(path.name, 0o700, dir_fd=parent)
        at = os.open(path.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        try:
            os.fchown(at, _or_keep(owner), _or_keep(group))
            os.fchmod(at, mode)
        finally:
            os.close(at)


def give(top: Path, owner: int, group: int) -> None:
    """Give a tree to a user; links are given, not followed. A file with a second name is left alone.

    Whoever could write to the tree may have linked somebody else's file into it.
    """
    for _, folders, names, at in os.fwalk(top, follow_symlinks=False):
        os.fchown(at, owner, group)
        for name in (*folders, *names):
            found = os.stat(name, dir_fd=at, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode) or found.st_nlink == 1:
                os.chown(name, owner, group, dir_fd=at, follow_symlinks=False)


def _made(name: str, at: int) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(name, flags, 0o600, dir_fd=at)


def _or_keep(number: int | None) -> int:
    return -1 if number is None else number


def _same(name: str, at: int, text: str, mode: int, owner: int | None, group: int | None) -> bool:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    except OSError:
        return False
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        wanted = (mode, found.st_uid if owner is None else owner)
        return (
            stat.S_ISREG(found.st_mode)
            and (stat.S_IMODE(found.st_mode), found.st_uid) == wanted
            and (group is None or found.st_gid == group)
            and file.read() == text.encode()
        )


def write_json(path: Path, value: object, *, mode: int = 0o600) -> bool:
    """`write` of a value as JSON with stable order."""
    return write(path, json.dumps(value, indent=1, sort_keys=True) + "\n", mode=mode)


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
