"""Where a command runs: what was said before it, its user, the folder's manifest, and targets."""

import contextlib
import os
import pwd
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


def manifest_file() -> Path:
    """The manifest that is meant: the one named, else the nearest one upward. Raises ManifestError."""
    from cordillera.manifest import find

    return options.file or find.manifest_file(Path.cwd())


def folder() -> Path:
    """The folder of that manifest; without one, the folder that we are in."""
    try:
        return manifest_file().parent.resolve()
    except ManifestError:
        return Path.cwd().resolve()


def user() -> str:
    """Who runs this, behind `sudo` too."""
    who = os.environ.get("SUDO_USER")
    try:
        return who or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user that this machine has no name for
        return str(os.getuid())


def named_here() -> list[str]:
    """Environments that the manifest of this folder names; none without one, or while it is wrong."""
    from cordillera.manifest import find

    try:
        return list(find.with_environments(manifest_file()).environments)
    except ManifestError:
        return []


def target(name: str = DEFAULT_TARGET) -> "Target":
    """The target of that name."""
    return targets.load(name)


def alone(target: "Target", environment: str, what: str) -> AbstractContextManager[None]:
    """Hold the environment for one changing command. Raises Refused, naming who holds it already."""
    since = datetime.now().astimezone().strftime("%H:%M:%S")
    return lock.held(
        target.verbs.busy(environment),
        holder=f"`cordillera {what}` of {user()}, since {since}",
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
        want = _wanted(environment)
        found = target(want.target)
        found.verbs.introduce(want)
        return found
    return local


def elsewhere() -> list[str]:
    """The environments that this folder's manifest has on other targets."""
    from cordillera.manifest import find

    with contextlib.suppress(ManifestError):
        manifest = find.with_environments(manifest_file())
        return [n for n, spec in manifest.environments.items() if spec.target != DEFAULT_TARGET]
    return []


def _wanted(environment: str) -> "Wanted":
    from cordillera.manifest import find, resolve

    path = manifest_file()
    return resolve.wanted(find.with_environments(path), environment, path.parent.resolve())
