"""HOW: one folder per target, one file per component. Only the target asked for is imported."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from cordillera.core.errors import CordilleraError, ManifestError
from cordillera.core.home import roots

if TYPE_CHECKING:
    from cordillera.components.target import Target

BUILT_IN = {
    "local": "cordillera.targets.local.target",
    "aws": "cordillera.targets.aws.target",
}


def remembered(environment: str) -> list[str]:
    """Built-in targets away from this machine whose memory here names that environment."""
    state = roots()[0]
    return [name for name in BUILT_IN if (state / f".{name}" / environment).is_dir()]


def load(name: str) -> "Target":
    """Import one target only, so that `local` needs no cloud SDK. Raises ManifestError, CordilleraError."""
    found = BUILT_IN if name in BUILT_IN else BUILT_IN | _installed()
    if name not in found:
        raise ManifestError(f"no target called {name}", hint=f"one of: {', '.join(sorted(found))}")
    try:
        make: Callable[[], Target] = import_module(found[name]).target
    except ModuleNotFoundError as e:
        if (e.name or "").startswith("cordillera"):
            raise
        raise CordilleraError(
            f"the target {name} needs the Python package {e.name}",
            hint=f"pip install 'cordillera[{name}]'",
        ) from e
    return make()


def _installed() -> dict[str, str]:
    """Targets of other packages. Asked only for names that are not ours: it reads every package there is."""
    from importlib.metadata import entry_points

    return {e.name: e.value for e in entry_points(group="cordillera.targets")}
