"""Keeps a zone: `python -m cordillera.targets.local._keeper PLAN.json`."""

import sys
import time
from pathlib import Path

from cordillera.targets.local._keeper import answers
from cordillera.targets.local._keeper.decide import Step
from cordillera.targets.local._keeper.lease import Lease
from cordillera.targets.local._keeper.office import Office
from cordillera.targets.local._keeper.plan import load
from cordillera.targets.local._keeper.server import LocalServer

EVERY_S = 0.5


def main() -> None:
    """Keep the zone until we are ended."""
    plan = load(Path(sys.argv[1]))
    lease, role, server = Lease(plan.votes), answers.Role(), LocalServer(plan)
    answers.serve(plan, role)
    lease.start()
    server.start()
    office = Office(plan, server, lease, role)
    while True:
        begun = time.monotonic()
        step = office.turn()
        quick = step not in (Step.NOTHING, Step.FENCE)
        time.sleep(max(0.0, (0.05 if quick else EVERY_S) - (time.monotonic() - begun)))


if __name__ == "__main__":
    main()
