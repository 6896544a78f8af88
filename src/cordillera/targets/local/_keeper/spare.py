"""Before each start of the volume server that stands in for a lost zone's: may it, what may stay, who leads?

`python -m ..._keeper.spare PLAN.json FOLDER FILE MASTER,MASTER` ends with a failure unless the votes say that
a zone is lost.
"""

import sys
from pathlib import Path

from cordillera.targets.local import _weed_masters
from cordillera.targets.local._keeper.etcd import Silent
from cordillera.targets.local._keeper.plan import load
from cordillera.targets.local._keeper.stores import COPIES, LOST, ROUND, TWO, stands_in

MARK = "round"
READ_ONLY = 0o444


def main() -> None:
    """Ask the votes, see to the folder, note the masters."""
    plan = load(Path(sys.argv[1]))
    try:
        copies, lost, begun = plan.votes().read(COPIES, LOST, ROUND)
    except Silent as e:
        sys.exit(str(e))
    if not stands_in(plan.zone.name, copies.value if copies else TWO, lost.value if lost else ""):
        sys.exit("no other zone is lost: objects are written to all of them")
    settle(Path(sys.argv[2]), str(begun.changed if begun else 0))
    _weed_masters.note(Path(sys.argv[3]), sys.argv[4].split(","))


def settle(folder: Path, begun: str) -> None:
    """Drop what an earlier round left, and close what this one has.

    Earlier rounds ended with everything in every zone. In this round the other zone may have got a copy of a
    volume before it was lost again: what were written into ours now would never get there.
    """
    mark = folder / MARK
    same = mark.exists() and mark.read_text() == begun
    for file in folder.iterdir():
        if not same:
            file.unlink()
        elif file.suffix in (".dat", ".idx"):
            file.chmod(READ_ONLY)
    mark.write_text(begun)


if __name__ == "__main__":
    main()
