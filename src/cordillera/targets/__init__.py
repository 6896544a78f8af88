"""HOW: one folder per target, one file per component. Only the target asked for is imported."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from cordillera.core.errors import ManifestError

if TYPE_CHECKING:
    from cordillera.components.target import Target

BUILT_IN = {
    "local": "cordillera.targets.local.target",
    "aws": "cordillera.targets.aws.target",
}


def load(name: str) -> "Target":
    """Import one target only, so that `local` needs no cloud SDK. Raises ManifestError."""
    from importlib.metadata import entry_points

    found = {e.name: e.value for e in entry_points(group="cordillera.targets")} | BUILT_IN
    if name not in found:
        raise ManifestError(f"no target called {name}", hint=f"one of: {', '.join(sorted(found))}")
    make: Callable[[], Target] = import_module(found[name]).target
    return make()
