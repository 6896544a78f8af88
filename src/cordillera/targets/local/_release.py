"""Releases without a container engine: immutable copies of the app's folder, built once.

A build is named by what goes into it. It lies under its final path from the start, because virtual
environments hold absolute paths; a marker file, written last, says that it is whole.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

from cordillera.components.service import ServiceSpec
from cordillera.core import files, lock, process
from cordillera.core import folder as tree
from cordillera.core.errors import CordilleraError, ManifestError
from cordillera.targets.local import _image
from cordillera.targets.local._log import log_tail
from cordillera.targets.local._site import Site, roots

BUILD_WITHIN_S = 900.0
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


def place(release: str) -> Path:
    """Where a release lies."""
    return roots()[0] / ".builds" / release


def complete(release: str) -> bool:
    """Whether that release was built to the end."""
    return (place(release) / COMPLETE).exists()


def variables(release: str) -> dict[str, str]:
    """What commands of a release that was built here need."""
    return {"PATH": path_variable(release), "VIRTUAL_ENV": str(place(release) / "venv")}


def path_variable(release: str) -> str:
    """PATH for commands of that release: its own virtual environment and node modules first."""
    first = [place(release) / "venv/bin", place(release) / "app/node_modules/.bin"]
    return ":".join(
        [*map(str, first), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    )


def build(spec: ServiceSpec, app: Path, release: str, site: Site, log: Path) -> None:
    """Copy the folder and run `build.run` in it, once. Raises CordilleraError with the log's end."""
    target = place(release)
    with lock.queued(roots()[0] / "locks" / f"build-{release}.lock"):
        if not complete(release):
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            if spec.image or (spec.build and spec.build.dockerfile):
                _unpack(spec, app, release, target)
            else:
                _copy(folder_of(spec, app), target / "app")
                _run_build(_command(spec), target, site, log)
            files.write(target / COMPLETE, release)
        files.write(target / "users" / site.environment.replace("/", "+"), "")


def _unpack(spec: ServiceSpec, app: Path, release: str, target: Path) -> None:
    image = spec.image or _built(release)
    if spec.build and spec.build.dockerfile:
        files.write(target / _image.BUILT, image)
        _image.build(spec.build.dockerfile, folder_of(spec, app), image)
    _image.unpack(image, target)


def drop_image(release: str) -> None:
    """Remove the image that was built for a release, when there was one."""
    if (place(release) / _image.BUILT).exists():
        _image.drop(_built(release))


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


def _run_build(command: str, target: Path, site: Site, log: Path) -> None:
    owner = site.server_user
    caches = roots()[0] / ".cache"
    caches.mkdir(parents=True, exist_ok=True)
    for folder in (target, caches):
        _give(folder, owner)
    environment = {
        **{
            k: v
            for k, v in os.environ.items()
            if k.startswith(("PIP_", "NPM_", "HTTP", "http", "SSL_"))
        },
        "PATH": path_variable(target.name),
        "HOME": str(target),
        "LANG": "C.UTF-8",
        "VIRTUAL_ENV": str(target / "venv"),
        "PIP_CACHE_DIR": str(caches / "pip"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "npm_config_cache": str(caches / "npm"),
    }
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    steps = [[_interpreter(), "-m", "venv", str(target / "venv")]] if command else []
    steps += [["/bin/sh", "-ec", command]] if command else []
    for argv in steps:
        code = process.logged(
            argv, log=log, timeout_s=BUILD_WITHIN_S, env=environment, cwd=target / "app", user=owner
        )
        if code != 0:
            end = "".join(f"\n    build | {line}" for line in log_tail(log, 8))
            raise CordilleraError(
                f"the build exited {code}: {command}{end}", hint=f"see all of it in {log}"
            )
    _give(target, 0 if owner is not None else None)


def _interpreter() -> str:
    """A Python that unprivileged users may run: the machine's own where ours lies in a closed home."""
    system = Path("/usr/bin/python3")
    return str(system) if system.exists() else sys.executable


def _give(folder: Path, owner: int | None) -> None:
    """Hand a tree to `owner`; a finished release is root's, so that no copy can change it."""
    if owner is None:
        return
    for parent, _, names in os.walk(folder):
        os.chown(parent, owner, owner)
        for name in names:
            os.chown(Path(parent) / name, owner, owner, follow_symlinks=False)
