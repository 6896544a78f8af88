"""Before each start of the object store's masters and volume servers: who leads now?

`python -m ..._weed_masters volume FILE MASTER,MASTER` writes the masters, the leader first.
`python -m ..._weed_masters master FILE MASTER,MASTER` writes how patient a master is.

A master that comes back while another leads must not seek election: the leader looks for it at ever longer
intervals, a candidate's newer term would depose the leader, and under a new leader nothing is assigned for
fifteen seconds. So it starts patient, and its keeper has it start anew when it has met the leader.
"""

import sys
import time
from pathlib import Path

from cordillera.targets.local._keeper.leadership import STATUS, http_get
from cordillera.targets.local._keeper.registration import leader_of

READY = "-heartbeatInterval=2500ms -electionTimeout=3200ms"
PATIENT = "-heartbeatInterval=200s -electionTimeout=250s"
"""How long a master hears nothing of a leader before it seeks election; a patient one must never lead."""
MET = "met"
FRESH_S = 20.0


def main() -> None:
    kind, file, masters = sys.argv[1], Path(sys.argv[2]), sys.argv[3].split(",")
    if kind == "volume":
        note(file, masters)
    else:
        file.write_text(patience(leader=_leader(masters), met_s=_met_s(file.with_name(MET))))


def note(file: Path, masters: list[str]) -> None:
    """Write the masters into the file, the leader first."""
    file.write_text(",".join(ordered(masters, _leader(masters))))


def ordered(masters: list[str], leader: str) -> list[str]:
    """The same masters, the leader first. Pure."""
    return sorted(masters, key=lambda master: master != leader)


def patience(*, leader: str, met_s: float) -> str:
    """The flags of a master. `met_s`: how long ago it met the leader and was ended for it. Pure."""
    return PATIENT if leader and met_s > FRESH_S else READY


def _met_s(mark: Path) -> float:
    try:
        return time.time() - mark.stat().st_mtime
    except FileNotFoundError:
        return FRESH_S * 2


def _leader(masters: list[str]) -> str:
    """Who leads, as the first of the masters tells that knows; empty when none does."""
    return next((leader for one in masters if (leader := _leader_by(one))), "")


def _leader_by(master: str) -> str:
    host, _, port = master.partition(":")
    found = leader_of(http_get((host, int(port)), STATUS))
    return f"{found[0]}:{found[1]}" if found else ""


if __name__ == "__main__":
    main()
