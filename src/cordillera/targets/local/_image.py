"""Container images: Docker or Podman fetches or builds them, the zone runs what is in them.

A container of the engine's would live outside the zone: it would outlive the zone's loss and sit in another
network. So the image's files are unpacked once, like any release, and its program runs in the zone, rooted
in them, as an unprivileged user whatever the image says (as OpenShift does by default).
"""

import json
import shutil
from contextlib import suppress
from functools import cache as remembered
from pathlib import Path
from typing import Any

from cordillera.core import files, process
from cordillera.core.errors import CommandFailed, CordilleraError, Refused

ENGINES = ("docker", "podman")
ANSWER_WITHIN_S, FETCH_WITHIN_S = 10.0, 900.0
ROOT, CONFIG, BUILT = "root", "image.json", "built"
UNPACK = '"$0" export "$1" | tar -x --numeric-owner -C "$2"'


@remembered
def engine() -> str | None:
    """The first engine that answers, by its path; None when there is none."""
    for name in ENGINES:
        found = shutil.which(name)
        try:
            if found:
                process.run([found, "info"], timeout_s=ANSWER_WITHIN_S)
                return found
        except CordilleraError:
            continue
    return None


def refuse_unless_possible(service: str) -> None:
    """Raises Refused where images cannot be run."""
    if engine() is None:
        raise Refused(
            f"service {service} needs a container engine, and neither Docker nor Podman answers here",
            hint="start one, or write `build: {run: ...}`: the folder itself becomes the release",
        )
    if not process.is_root():
        raise Refused(
            f"service {service} is an image, and without root its files cannot become a copy's root",
            hint="run as root, or write `build: {run: ...}`",
        )


def identity(image: str) -> str:
    """The image's content by its digest; it is fetched when it is not on this machine."""
    if not _here(image):
        _ask("pull", "--quiet", image, timeout_s=FETCH_WITHIN_S)
    return str(_inspect(image)["Id"])


def build(dockerfile: str, context: Path, tag: str) -> None:
    """Build an image from a folder. Raises CommandFailed with the engine's last line."""
    where = ["--file", str(context / dockerfile), "--tag", tag, str(context)]
    _ask("build", "--quiet", *where, timeout_s=FETCH_WITHIN_S)


def drop(image: str) -> None:
    """Remove an image that was built here; one that is gone already is well."""
    with suppress(CordilleraError):
        _ask("image", "rm", "--force", image, timeout_s=ANSWER_WITHIN_S)


def unpack(image: str, place: Path) -> None:
    """Put the image's files under `place`/root, and how it is started beside them."""
    root = place / ROOT
    root.mkdir(parents=True)
    container = _ask("create", image, "true", timeout_s=FETCH_WITHIN_S).strip().splitlines()[-1]
    try:
        argv = ["/bin/sh", "-ec", UNPACK, engine() or "", container, str(root)]
        process.run(argv, timeout_s=FETCH_WITHIN_S)
    finally:
        _ask("rm", container, timeout_s=ANSWER_WITHIN_S)
    if not any(root.iterdir()):
        raise CommandFailed(f"image {image} is empty", hint="look at it: docker run --rm -it ...")
    for name in ("proc", "dev", "tmp", "run", "etc"):
        (root / name).mkdir(exist_ok=True)
    for name in ("hosts", "resolv.conf"):
        (root / "etc" / name).touch()
    files.write_json(place / CONFIG, _inspect(image).get("Config") or {}, mode=0o644)


def start_of(place: Path, command: tuple[str, ...]) -> dict[str, Any]:
    """`argv`, `env` and `folder` of an unpacked image; a `command` is given to its entrypoint."""
    config: dict[str, Any] = json.loads((place / CONFIG).read_text())
    own = tuple(config.get("Cmd") or ())
    return {
        "argv": [*(config.get("Entrypoint") or ()), *(command or own)],
        "env": dict(pair.split("=", 1) for pair in config.get("Env") or () if "=" in pair),
        "folder": config.get("WorkingDir") or "/",
        "root": str(place / ROOT),
    }


def _here(image: str) -> bool:
    try:
        _inspect(image)
    except CommandFailed:
        return False
    return True


def _inspect(image: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(
        _ask("image", "inspect", image, timeout_s=ANSWER_WITHIN_S)
    )
    return found[0]


def _ask(*words: str, timeout_s: float) -> str:
    return process.run([engine() or ENGINES[0], *words], timeout_s=timeout_s)
