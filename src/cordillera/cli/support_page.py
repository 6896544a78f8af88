"""docs/support.md: what each target offers, as the targets say themselves.

`python -m cordillera.cli.support_page FILE` writes it.
"""

import sys
from pathlib import Path

from cordillera import targets
from cordillera.components.target import NotOffered

HEAD = """\
# What is offered

Generated from what each target says of itself. A component that is not offered says so; it never pretends.
The targets `aws`, `kubernetes` and `swarm` are not there yet.

"""


def text() -> str:
    """The page."""
    rows = ["| component | local |", "| --- | --- |"]
    for name, offer in targets.load("local").support().items():
        if isinstance(offer, NotOffered):
            rows.append(f"| {name} | not offered yet: {offer.why} |")
        else:
            rows.append(f"| {name} | yes{f'; {offer.limits}' if offer.limits else ''} |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text())
