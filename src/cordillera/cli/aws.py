"""Words that only make sense for the target `aws`."""

from pathlib import Path
from typing import Annotated

import typer

from cordillera.cli import context, render


def register(app: typer.Typer) -> None:
    """Add the words of this file."""
    group = typer.Typer(help="Your own AWS account.", no_args_is_help=True)
    group.command("policy")(policy)
    group.callback()(_group)
    app.add_typer(group, name="aws")


def _group() -> None:
    """Your own AWS account."""


def policy(
    to: Annotated[
        Path | None,
        typer.Option(help="Write it to this folder, in pieces that IAM takes as managed policies."),
    ] = None,
) -> None:
    """The least that Cordillera must be allowed in the account, as an IAM policy.

    Example: cordillera aws policy --to policies
    """
    import json

    pieces = context.target("aws").verbs.permissions()
    if to is None:
        statements = [one for piece in pieces for one in piece["Statement"]]
        render.as_json({**pieces[0], "Statement": statements})
        return
    to.mkdir(parents=True, exist_ok=True)
    for number, piece in enumerate(pieces, 1):
        text = json.dumps(piece, separators=(",", ":"))
        (to / f"cordillera-{number}.json").write_text(text + "\n")
    render.say(
        f"Wrote {len(pieces)} policies. Next: attach them to the role that Cordillera takes on",
        quiet=context.options.quiet,
    )
