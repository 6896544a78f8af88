"""docs/support.md: what each target offers, as the targets say themselves.

`python -m cordillera.cli.support_page FILE` writes it.
"""

import sys
from pathlib import Path

from cordillera import targets
from cordillera.components.target import NotOffered, Offered

HEAD = """\
# What is offered

Generated from what each target says of itself. A component that is not offered says so; it never pretends.
The target `aws` was tried against emulators only: no real account was at hand. The targets `kubernetes` and
`swarm` are not there yet.

"""


def text() -> str:
    """The page."""
    offers = [targets.load(name).support() for name in targets.BUILT_IN]
    names = list(targets.BUILT_IN)
    rows = [f"| component | {' | '.join(names)} |", "| --- " * (len(names) + 1) + "|"]
    rows += [
        f"| {component} | {' | '.join(_cell(offer[component]) for offer in offers)} |"
        for component in offers[0]
    ]
    return HEAD + "\n".join(rows) + "\n"


def _cell(offer: Offered | NotOffered) -> str:
    if isinstance(offer, NotOffered):
        return f"not offered yet: {offer.why}"
    return f"yes{f'; {offer.limits}' if offer.limits else ''}"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text())
