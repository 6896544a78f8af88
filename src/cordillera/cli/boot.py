"""Environments that come back by themselves when the machine starts: one systemd unit."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cordillera.cli import context
from cordillera.components.protocol import Place
from cordillera.core import files, process
from cordillera.core.clock import SystemClock
from cordillera.core.errors import CordilleraError
from cordillera.operations import provision

if TYPE_CHECKING:
    from cordillera.components.target import Target

SYSTEMD = Path("/run/systemd/system")
UNIT = Path("/etc/systemd/system/cordillera.service")
TIMEOUT_S = 30.0
KEPT = ("CORDILLERA_HOME", "CORDILLERA_ISOLATION")
"""Variables that say where environments lie: the machine must start with those that were set."""
TEXT = """\
[Unit]
Description=Cordillera environments of this machine
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
{variables}ExecStart={python} -m cordillera.cli.main --quiet boot start
TimeoutStartSec=600
# Environments outlive this unit: one that fails to start must not end those that did.
KillMode=process

[Install]
WantedBy=multi-user.target
"""


def text() -> str:
    """The unit, as this very command would be called again."""
    kept = [f'Environment="{name}={os.environ[name]}"\n' for name in KEPT if os.environ.get(name)]
    return TEXT.format(python=sys.executable, variables="".join(kept))


def enable() -> str:
    """Install the unit; may be called twice. Raises CordilleraError where systemd or root is missing."""
    if not SYSTEMD.is_dir():
        raise CordilleraError(
            "systemd does not run on this machine",
            hint=f"have your own init run at boot: {sys.executable} -m cordillera.cli.main boot start",
        )
    _refuse_without_root()
    files.write(UNIT, text())
    process.run(["systemctl", "daemon-reload"], timeout_s=TIMEOUT_S)
    process.run(["systemctl", "enable", UNIT.name], timeout_s=TIMEOUT_S)
    return "Environments that are up now come back at every boot."


def disable() -> str:
    """Remove the unit. May be called twice."""
    if UNIT.exists():
        _refuse_without_root()
        process.run(["systemctl", "disable", UNIT.name], timeout_s=TIMEOUT_S)
        UNIT.unlink()
    return "Environments stay down after a boot until `cordillera up`."


def _refuse_without_root() -> None:
    if not process.is_root():
        raise CordilleraError("only root may change what starts with the machine", hint="use sudo")


def start(target: "Target") -> None:
    """Bring back every environment that was up, each whatever becomes of the others.

    Raises CordilleraError naming those that failed. May be called twice.
    """
    failed = []
    for name in target.verbs.environments():
        try:
            if not target.verbs.was_stopped(name):
                _bring_back(target, name)
        except CordilleraError as e:
            failed.append(f"{name}: {e}")
    if failed:
        raise CordilleraError(
            "not everything came back: " + "; ".join(failed),
            hint="mend it, then `cordillera up` in the app's folder",
        )


def _bring_back(target: "Target", name: str) -> None:
    want = target.verbs.again(name)
    engine = target.engine("")
    with context.alone(target, name, "boot start"):
        found = engine.plan(want, Place(name, want.region))
        token = provision.token_of(datetime.now(UTC))
        provision.apply(engine, found, lambda _: None, clock=SystemClock(), token=token)
