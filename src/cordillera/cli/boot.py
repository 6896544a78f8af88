"""Environments that come back by themselves when the machine starts: one systemd unit."""

import sys
from pathlib import Path

from cordillera.core import files, process
from cordillera.core.errors import CordilleraError

UNIT = Path("/etc/systemd/system/cordillera.service")
TIMEOUT_S = 30.0
TEXT = """\
[Unit]
Description=Cordillera environments of this machine
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={python} -m cordillera.cli.main --quiet boot start
TimeoutStartSec=600

[Install]
WantedBy=multi-user.target
"""


def enable() -> str:
    """Install the unit. Raises CordilleraError where systemd does not run."""
    if not Path("/run/systemd/system").is_dir():
        raise CordilleraError(
            "systemd does not run on this machine",
            hint=f"have your own init run at boot: {sys.executable} -m cordillera.cli.main boot start",
        )
    files.write(UNIT, TEXT.format(python=sys.executable))
    process.run(["systemctl", "daemon-reload"], timeout_s=TIMEOUT_S)
    process.run(["systemctl", "enable", UNIT.name], timeout_s=TIMEOUT_S)
    return "Environments that are up now come back at every boot."


def disable() -> str:
    """Remove the unit. May be called twice."""
    if UNIT.exists():
        process.run(["systemctl", "disable", UNIT.name], timeout_s=TIMEOUT_S)
        UNIT.unlink()
    return "Environments stay down after a boot until `cordillera up`."
