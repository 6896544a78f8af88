"""What a zone's supervisor is started inside of: namespaces, and closed folders made passable."""

from cordillera.core import process
from cordillera.core.errors import CordilleraError
from cordillera.targets.local import _net, _view
from cordillera.targets.local._site import Site, Zone

TRIAL_TIMEOUT_S = 5.0
INSIDE = ("unshare", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc")
UNPRIVILEGED = (
    "unshare", "--user", "--map-current-user", "--pid", "--mount", "--fork", "--kill-child",
    "--mount-proc",
)  # fmt: skip


def around(site: Site, zone: Zone) -> list[str]:
    """The command that a zone's first process is started by; empty where users may have no namespaces."""
    return [*_namespaces(site, zone), *_opened(zone)]


def _namespaces(site: Site, zone: Zone) -> list[str]:
    if not process.is_root():
        return _unprivileged()
    if zone.outside or not site.namespaced:
        return [*INSIDE]
    return ["nsenter", f"--net={_net.NETNS_FOLDER / site.netns(zone, 'private')}", *INSIDE]


def _unprivileged() -> list[str]:
    """Without root: a PID namespace of our own where the kernel lets users have one."""
    try:
        process.run([*UNPRIVILEGED, "true"], timeout_s=TRIAL_TIMEOUT_S)
    except CordilleraError:
        return []
    return [*UNPRIVILEGED]


def _opened(zone: Zone) -> list[str]:
    """What makes closed folders passable inside; nothing where there are none."""
    script = _view.script(zone) if process.is_root() else ""
    return ["/bin/sh", "-c", f'{script}exec "$@"', "sh"] if script else []
