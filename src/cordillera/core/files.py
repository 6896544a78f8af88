"""Files that are whole or absent: written aside, synced, renamed."""

import json
import os
import threading
from pathlib import Path


def write(path: Path, text: str, *, mode: int = 0o644, owner: int | None = None) -> bool:
    """Replace `path` by `text`, durably. False when it already said just that."""
    if path.exists() and _same(path, text, mode, owner):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_native_id()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), mode)
        if owner is not None:
            os.fchown(file.fileno(), owner, owner)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)
    sync_folder(path.parent)
    return True


def _same(path: Path, text: str, mode: int, owner: int | None) -> bool:
    found = path.stat()
    if found.st_mode & 0o7777 != mode or (owner is not None and found.st_uid != owner):
        return False
    return path.read_text() == text


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
