"""The files of an app's folder that matter: what a release is made of, and its fingerprint."""

import fnmatch
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

ALWAYS_IGNORED = (
    ".git",
    ".hg",
    ".venv",
    "venv",
    "__pycache__",
    "node_modules",
    ".cordillera",
    "cordillera.yaml",
    "*.pyc",
)


class Digest(Protocol):
    """What `hashlib` makes."""

    def update(self, data: bytes, /) -> None: ...


def contents(folder: Path) -> Iterator[Path]:
    """Its files in a stable order, without what `.dockerignore` and we ourselves leave out."""
    ignored = (*ALWAYS_IGNORED, *_own_ignores(folder))
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not _matches(f, ignored))
        yield from (Path(parent) / name for name in sorted(names) if not _matches(name, ignored))


def feed(digest: Digest, folder: Path) -> None:
    """Every name, mode and content into `digest`."""
    for path in contents(folder):
        digest.update(f"{path.relative_to(folder)} {os.access(path, os.X_OK)}\n".encode())
        digest.update(str(path.readlink()).encode() if path.is_symlink() else path.read_bytes())


def _own_ignores(folder: Path) -> tuple[str, ...]:
    path = folder / ".dockerignore"
    lines = path.read_text().splitlines() if path.exists() else []
    return tuple(line.strip().strip("/") for line in lines if line.strip() and line[0] not in "#!")


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
