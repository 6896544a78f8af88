"""Where manifests lie: upward from a folder; environments in files of their own beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cordillera.core.errors import ManifestError, Refused

if TYPE_CHECKING:
    from cordillera.manifest.model import Manifest

MANIFEST = "cordillera.yaml"
FOLDER = "environments"
FILE = """\
# One environment of {app}: where it runs, and what differs from cordillera.yaml.
environments:
  {name}:
    target: {target}
"""


def manifest_file(start: Path) -> Path:
    """The nearest cordillera.yaml, upward from `start`. Raises ManifestError when there is none."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / MANIFEST).exists():
            return folder / MANIFEST
    raise ManifestError(
        f"there is no {MANIFEST} in {start} or above it",
        hint="run `cordillera init` in the app's folder, or name one: --file PATH",
    )


def with_environments(manifest: Path, folders: Sequence[Path] = ()) -> "Manifest":
    """The manifest with the environments of files in `environments/` beside it and in `folders`."""
    from cordillera.manifest import load

    beside = [manifest.parent / FOLDER, *folders]
    extra = [path for folder in beside for path in sorted(folder.glob("*.yaml"))]
    return load.load(manifest, extra)


def create_environment(
    manifest: Path, name: str, *, target: str, folder: Path, region: str = ""
) -> Path:
    """Write a file for one more environment; it is loaded before it stays. Raises Refused, ManifestError."""
    from cordillera.manifest import load

    known = with_environments(manifest, [folder])
    if name in known.environments:
        raise Refused(f"{name} is there already", hint=f"cordillera up {name}")
    place = folder if folder.is_absolute() else manifest.parent / folder
    path = place / f"{name.replace('/', '-')}.yaml"
    if path.exists():
        raise Refused(f"{path} is there already", hint="move it away first")
    place.mkdir(parents=True, exist_ok=True)
    where = f"    region: {region}\n" if region else ""
    path.write_text(FILE.format(app=known.app, name=name, target=target) + where)
    try:
        load.load(manifest, [path])
    except ManifestError:
        path.unlink()
        raise
    return path
