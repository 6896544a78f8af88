"""The folders in which Cordillera keeps what it must remember on this machine."""

import os
from pathlib import Path

from cordillera.core import process


def roots() -> tuple[Path, Path]:
    """The folders of state and of what need not survive a reboot. CORDILLERA_HOME moves both."""
    home = os.environ.get("CORDILLERA_HOME")
    if home:
        return Path(home) / "state", Path(home) / "run"
    if process.is_root():
        return Path("/var/lib/cordillera"), Path("/run/cordillera")
    state = Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local/state")) / "cordillera"
    run = os.environ.get("XDG_RUNTIME_DIR")
    return state, Path(run) / "cordillera" if run else state / "run"
