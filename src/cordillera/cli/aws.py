"""Words that only make sense for the target `aws`."""

from pathlib import Path
from typing import Annotated

import typer

from cordillera.cli import context, render


def register(app: typer.Typer) -> None:
    """Add the words of this file."""
    group = typer.Typer(help="Your own AWS account.", no_args_is_help=True)
    group.command("policy")(policy)
    group.command("role")(role)
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
        f"Wrote {len(pieces)} policies. Next: attach them to the role that Cordillera takes on "
        "(`cordillera aws role` prints one that has them)",
        quiet=context.options.quiet,
    )


def role(
    trust: Annotated[
        str,
        typer.Option(
            help="Who takes it on: the number of the account that you work from, or the ARN of a role or "
            "a user in it."
        ),
    ],
    external_id: Annotated[
        str | None,
        typer.Option(
            help="What must be known besides, another for each customer. Made when left out."
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="What the role is called.")] = "cordillera",
) -> None:
    """The role that Cordillera takes on in a customer's account: a template that the customer applies once.

    Example: cordillera aws role --trust 999999999999 > role.json
    """
    found = context.target("aws").verbs.customer_role(trust, external_id, name)
    render.as_json(found.template)
    made = (
        "" if external_id else f"The external id is {found.external_id}, made just now: keep it.\n"
    )
    render.aside(
        f"{made}Next, in the customer's account, with the template as role.json; again when the policy "
        f"changes:\n  {found.apply}\nThen in the manifest, with the number of that account:\n"
        f"  {found.manifest}",
        quiet=context.options.quiet,
    )
