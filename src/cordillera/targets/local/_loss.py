"""Losing a failure domain on purpose, and having it back: what rehearsals do to an environment.

Three ways: everything in the zone killed at once, everything in it frozen, or the zone cut off in the
network while it goes on running. All may be called twice.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from cordillera.components.target import Loss
from cordillera.core.errors import CordilleraError, NotReady
from cordillera.targets.local import _firewall_rules as rules
from cordillera.targets.local import network
from cordillera.targets.local._site import Site, Zone
from cordillera.targets.local._supervisor import Supervisor, wait_for

CUT = """\
table inet {table} {{
  chain cut {{
    type filter hook forward priority -10; policy accept;
    ip saddr {{ {own} }} ip daddr {{ {own} }} accept
    ip saddr {{ {own} }} drop
    ip daddr {{ {own} }} drop
  }}
}}
"""


def lose(site: Site, zone: Zone, how: Loss) -> None:
    """Lose the zone now. Raises CordilleraError for a way that this machine does not have."""
    if how is Loss.KILLED:
        Supervisor(site, zone).kill()
    elif how is Loss.FROZEN:
        _signal(site, zone, signal.SIGSTOP)
    else:
        _cut(site, zone)


def restore(site: Site, zone: Zone) -> None:
    """Have it back, however it was lost. Raises NotReady when its supervisor does not start."""
    _signal(site, zone, signal.SIGCONT)
    _mend(site, zone)
    supervisor = Supervisor(site, zone)
    if not supervisor.answers():
        supervisor.launch()
        wait_for(supervisor, zone)


def _signal(site: Site, zone: Zone, number: signal.Signals) -> None:
    """To every process of the zone; when it stops them, the supervisor first, so that it sees nothing."""
    for pid in _pids(site, zone):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _pids(site: Site, zone: Zone) -> Iterator[int]:
    """All in the zone's PID namespace, its first process first. Raises NotReady where it has none."""
    first = Supervisor(site, zone).pid()
    if not first:
        return
    theirs, ours = _namespace(first), _namespace(os.getpid())
    if theirs == ours:
        raise NotReady(
            f"zone {zone.name} shares its processes with this machine and cannot be frozen",
            hint="run the environment as root: each zone then has processes of its own",
        )
    yield first
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            pid = int(entry.name) if entry.name.isdigit() else first
            if pid != first and _namespace(pid) == theirs:
                yield pid


def _namespace(pid: int) -> str:
    return str(Path(f"/proc/{pid}/ns/pid").readlink())


def _cut(site: Site, zone: Zone) -> None:
    if not site.namespaced:
        raise CordilleraError(
            f"zone {zone.name} cannot be cut off: without root all zones share one network",
            hint="run the environment as root, or lose the zone without --partition",
        )
    own = ", ".join(dict.fromkeys([zone.private, zone.public]))
    rules.load(network.router(site), CUT.format(table=_table(zone), own=own))


def _mend(site: Site, zone: Zone) -> None:
    if site.namespaced:
        rules.unload(network.router(site), _table(zone))


def _table(zone: Zone) -> str:
    return f"cordillera_cut_{zone.name}"
