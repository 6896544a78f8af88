"""Keeps a zone: `python -m cordillera.targets.local._keeper PLAN.json`."""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread

from cordillera.targets.local import _weed
from cordillera.targets.local._keeper import answers
from cordillera.targets.local._keeper.caches import CacheGuard
from cordillera.targets.local._keeper.decide import Step
from cordillera.targets.local._keeper.lease import Lease
from cordillera.targets.local._keeper.office import Office
from cordillera.targets.local._keeper.plan import Plan, load
from cordillera.targets.local._keeper.preference import Preference
from cordillera.targets.local._keeper.registration import Registration
from cordillera.targets.local._keeper.rejoin import Rejoin
from cordillera.targets.local._keeper.server import LocalServer
from cordillera.targets.local._keeper.steward import Steward
from cordillera.targets.local._keeper.stores import Stores

EVERY_S, SOON_S = 0.5, 0.05


def main() -> None:
    """Keep the zone until we are ended."""
    plan = load(Path(sys.argv[1]))
    lease, role = Lease(plan.votes), answers.Role()
    answers.serve(plan, role)
    lease.start()
    tasks = [_keep_database(plan, lease, role)] if plan.database else []
    if plan.witness != plan.zone.private:
        own, witness = (partial(plan.votes_of, at) for at in (plan.zone.private, plan.witness))
        tasks.append(Preference(own, witness).watch_for_ever)
    if plan.stores:
        flag = plan.zone.sockets("database") / _weed.SPARE_FLAG
        tasks.append(Steward(plan.zone.name, plan.stores, plan.votes, lease, flag).watch_for_ever)
        tasks.append(_rejoin(plan, plan.stores).watch_for_ever)
        if plan.database:
            tasks.append(_registration(plan, plan.stores).watch_for_ever)
    tasks.extend(CacheGuard(cache, lease).watch_for_ever for cache in plan.caches)
    for task in tasks[1:]:
        Thread(target=task, daemon=True).start()
    tasks[0]()


def _rejoin(plan: Plan, stores: Stores) -> Rejoin:
    own, data = (plan.zone.private, _weed.MASTER_PORT), plan.zone.state / _weed.MASTER_DATA
    others = [master for master in stores.addresses if master != own]
    return Rejoin(own, others, data, turn=plan.zone.index % len(plan.members))


def _registration(plan: Plan, stores: Stores) -> Registration:
    master = (plan.zone.private, _weed.MASTER_PORT)
    data = plan.zone.state / _weed.VOLUME_DATA
    server = stores.servers[plan.zone.name]
    return Registration(master, server, data, turn=plan.zone.index - 1)


def _keep_database(plan: Plan, lease: Lease, role: answers.Role) -> Callable[[], None]:
    server = LocalServer(plan)
    server.start()
    office = Office(plan, server, lease, role)

    def keep() -> None:
        while True:
            begun = time.monotonic()
            quick = office.turn() not in (Step.NOTHING, Step.FENCE)
            pause_s = SOON_S if quick else EVERY_S
            time.sleep(max(0.0, pause_s - (time.monotonic() - begun)))

    return keep


if __name__ == "__main__":
    main()
