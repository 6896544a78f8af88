"""Before each start of a volume server: which master leads, so that it is asked first.

Run as `python -m cordillera.targets.local._weed_masters FILE MASTER,MASTER`: writes the list into the file.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cordillera.targets.local._keeper.leadership import STATUS, http_get
from cordillera.targets.local._keeper.registration import leader_of


def ordered(masters: list[str], leader: str) -> list[str]:
    """The same masters, the leader first. Pure."""
    return sorted(masters, key=lambda master: master != leader)


def main() -> None:
    file, masters = Path(sys.argv[1]), sys.argv[2].split(",")
    with ThreadPoolExecutor(max_workers=len(masters)) as pool:
        told = list(pool.map(_leader_by, masters))
    file.write_text(",".join(ordered(masters, next((one for one in told if one), ""))))


def _leader_by(master: str) -> str:
    host, _, port = master.partition(":")
    found = leader_of(http_get((host, int(port)), STATUS))
    return f"{found[0]}:{found[1]}" if found else ""


if __name__ == "__main__":
    main()
