"""How one part is made so: a process is started, reloaded or restarted; a task is performed."""

from cordillera.components.protocol import Change, Effect
from cordillera.components.wanted import Wanted
from cordillera.targets.local import _found, _ready, _start, components
from cordillera.targets.local._parts import LocalPart, Process, Task
from cordillera.targets.local._site import Site
from cordillera.targets.local._supervisor import Supervisor

TASK_ATTEMPTS_EVERY_S = 0.3


def process(part: LocalPart, site: Site, change: Change) -> None:
    """Have it run as `part` says, with as little as will do. May be called twice."""
    body = part.body
    assert isinstance(body, Process)
    running = _found.digests(site.environment).get(part.key)
    if change.effect is Effect.UPDATE and body.reload and running is not None:
        _start.place_files(part, site)
        if body.reload == "driver":
            components.by_name(part.component).reload(part, site)
        else:
            Supervisor(site, site.zone(body.zone)).signal(part.name, body.reload)
        _start.note_reloaded(part, site)
        return
    _start.start(part, site, restart=running != part.digest)


def task(part: LocalPart, site: Site, want: Wanted) -> None:
    """Perform a task; what is not ready yet is tried again until its time is up."""
    body = part.body
    assert isinstance(body, Task)
    _ready.repeat(
        lambda: components.by_name(part.component).perform(body, site, want),
        within_s=body.within_s,
        every_s=TASK_ATTEMPTS_EVERY_S,
    )
