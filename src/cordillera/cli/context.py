"""Which environment is meant: named, else the only one of the folder, else the only one that is up."""

import contextlib
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cordillera import targets
from cordillera.core import lock
from cordillera.core.errors import ManifestError

if TYPE_CHECKING:
    from cordillera.components.target import Target
    from cordillera.components.wanted import Wanted

DEFAULT_TARGET = "local"


@dataclass
class Options:
    """What was said before the command: `--env`, `--file`, `--quiet`."""

    env: str = ""
    file: Path | None = None
    quiet: bool = False


options = Options()


def wanted(environment: str) -> "Wanted":
    """The environment as the manifest wants it. Raises ManifestError."""
    from cordillera.manifest import find, resolve

    path = options.file or find.manifest_file(Path.cwd())
    manifest = find.with_environments(path)
    name = environment or options.env or _only(list(manifest.environments))
    return resolve.wanted(manifest, name, path.parent.resolve())


def running(environment: str) -> str:
    """The name of an environment on this machine. Raises ManifestError, with the list, when unclear."""
    name = environment or options.env
    if name:
        return name
    here = list(target().verbs.environments())
    mine = _of_this_folder(here)
    return _only(mine or _elsewhere() or here)


def named_here() -> list[str]:
    """Environments that the manifest of this folder names; none without one, or while it is wrong."""
    from cordillera.manifest import find

    try:
        path = options.file or find.manifest_file(Path.cwd())
        return list(find.with_environments(path).environments)
    except ManifestError:
        return []


def target(name: str = DEFAULT_TARGET) -> "Target":
    """The target of that name."""
    return targets.load(name)


def alone(target: "Target", environment: str, what: str) -> AbstractContextManager[None]:
    """Hold the environment for one changing command. Raises Refused, naming who holds it already."""
    who = os.environ.get("SUDO_USER") or os.environ.get("USER") or str(os.getuid())
    since = datetime.now().astimezone().strftime("%H:%M:%S")
    return lock.held(
        target.verbs.busy(environment),
        holder=f"`cordillera {what}` of {who}, since {since}",
        what=environment,
    )


def target_of(environment: str) -> "Target":
    """The target that an environment lives on: the one that knows it, else what the manifest says."""
    local = target()
    if environment in local.verbs.environments():
        return local
    for name in targets.remembered(environment):
        return target(name)
    with contextlib.suppress(ManifestError):
        want = wanted(environment)
        found = target(want.target)
        found.verbs.introduce(want)
        return found
    return local


def _of_this_folder(names: list[str]) -> list[str]:
    folders = [Path.cwd(), *Path.cwd().parents]
    verbs = target().verbs
    return [name for name in names if verbs.folder_of(name) in folders]


def _elsewhere() -> list[str]:
    """The environments that this folder's manifest has on other targets."""
    with contextlib.suppress(ManifestError):
        from cordillera.manifest import find

        manifest = find.with_environments(options.file or find.manifest_file(Path.cwd()))
        return [n for n, spec in manifest.environments.items() if spec.target != DEFAULT_TARGET]
    return []


def _only(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    if not names:
        raise ManifestError(
            "no environment is here", hint="run `cordillera up`, or name one: --env CUSTOMER/STAGE"
        )
    raise ManifestError(
        f"several environments could be meant: {', '.join(names)}",
        hint=f"name one: --env {names[0]}",
    )
