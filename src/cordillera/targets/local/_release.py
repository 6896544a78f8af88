"""Releases without a container engine: immutable copies of the app's folder, built once.

A build is named by what goes into it. It lies under its final path from the start, because virtual
environments hold absolute paths; a marker file, written last, says that it is whole. The build command runs
in a sandbox of its own, as a user of its own: `_build`.
"""

import hashlib
import shutil
import sys
from pathlib import Path

from cordillera.components.service import ServiceSpec
from cordillera.core import files, lock
from cordillera.core import folder as tree
from cordillera.core.errors import ManifestError
from cordillera.targets.local import _build, _image
from cordillera.targets.local._site import Site

COMPLETE = "complete"
ID_LETTERS = 10


def folder_of(spec: ServiceSpec, app: Path) -> Path:
    """The folder that becomes the release. Raises ManifestError when it is not there."""
    folder = (app / (spec.build.context if spec.build else ".")).resolve()
    if not folder.is_dir():
        raise ManifestError(
            f"build.context {folder} is not a folder", hint="name the folder of the app"
        )
    return folder


def identity(spec: ServiceSpec, app: Path) -> str:
    """The release's name: a digest of every file, the build command and the interpreter."""
    if spec.image:
        return hashlib.sha256(_image.identity(spec.image).encode()).hexdigest()[:ID_LETTERS]
    digest = hashlib.sha256(f"{_command(spec)}\n{sys.version_info[:2]}\n".encode())
    tree.feed(digest, folder_of(spec, app))
    return digest.hexdigest()[:ID_LETTERS]


def place(site: Site, release: str) -> Path:
    """Where a release of an environment lies."""
    return site.builds / release


def complete(site: Site, release: str) -> bool:
    """Whether that release was built to the end."""
    return (place(site, release) / COMPLETE).exists()


def variables(site: Site, release: str) -> dict[str, str]:
    """What commands of a release that was built here need."""
    target = place(site, release)
    return {"PATH": _build.path_variable(target), "VIRTUAL_ENV": str(target / "venv")}


def build(spec: ServiceSpec, app: Path, release: str, site: Site, log: Path) -> None:
    """Copy the folder and run `build.run` in it, once. Raises CordilleraError with the log's end."""
    target = place(site, release)
    with lock.queued(site.builds / f"{release}.lock"):
        if complete(site, release):
            return
        shutil.rmtree(target, ignore_errors=True)
        files.make_folder(target, mode=0o700)
        if spec.image or (spec.build and spec.build.dockerfile):
            _unpack(spec, app, release, target)
        else:
            _copy(folder_of(spec, app), target / "app")
            _build.run(_command(spec), target, site, log)
        readers = site.uid("apps")
        if readers is not None:
            files.give(target, 0, readers)
        files.make_folder(target, mode=0o750, group=readers)
        files.write(target / COMPLETE, release)


def _unpack(spec: ServiceSpec, app: Path, release: str, target: Path) -> None:
    image = spec.image or _built(release)
    if spec.build and spec.build.dockerfile:
        files.write(target / _image.BUILT, image)
        _image.build(spec.build.dockerfile, folder_of(spec, app), image)
    _image.unpack(image, target)


def drop(target: Path) -> None:
    """Remove a release, and the image that was built for it, when there was one."""
    if (target / _image.BUILT).exists():
        _image.drop(_built(target.name))
    shutil.rmtree(target, ignore_errors=True)


def _built(release: str) -> str:
    return f"cordillera:{release}"


def _command(spec: ServiceSpec) -> str:
    return (spec.build.run if spec.build else None) or ""


def _copy(source: Path, target: Path) -> None:
    for path in tree.contents(source):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy, follow_symlinks=False)
    target.mkdir(exist_ok=True)
