"""How everything of an environment ends: asked to stop, or killed."""

import time
from concurrent.futures import ThreadPoolExecutor

from cordillera.core.errors import NotReady
from cordillera.targets.local import _cgroup, _found
from cordillera.targets.local._site import Site
from cordillera.targets.local._supervisor import Supervisor


def stop(site: Site) -> None:
    """Ask every supervisor to stop, then end whatever still carries the environment's mark."""
    zones = [site.front, *site.domains]
    supervisors = [Supervisor(site, zone) for zone in zones]
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(Supervisor.finish, supervisors))
    kill(site)


def kill(site: Site) -> None:
    """End at once whatever is the environment's. In a PID namespace nothing outlives its first process."""
    _found.kill(_found.scan(site.environment))
    deadline = time.monotonic() + _found.ENDED_WITHIN_S
    while _found.scan(site.environment) and time.monotonic() < deadline:
        time.sleep(0.05)
    _cgroup.remove(site)
    if _found.scan(site.environment):
        raise NotReady(f"{site.environment}: processes are still ending", hint="repeat in a moment")
