"""Words for rehearsals: losing a zone on purpose and having it back."""

from typing import Annotated

import typer

from cordillera.cli import context, render
from cordillera.components.target import Loss


def register(app: typer.Typer) -> None:
    """Add the words of this file."""
    group = typer.Typer(help="Lose a zone on purpose, and have it back.", no_args_is_help=True)
    group.command("lose")(zone_lose)
    group.command("return")(zone_return)
    app.add_typer(group, name="zone")


def zone_lose(
    zone: Annotated[str, typer.Argument(help="A zone, or witness.")],
    freeze: Annotated[bool, typer.Option("--freeze", help="Stop its processes instead.")] = False,
    partition: Annotated[
        bool, typer.Option("--partition", help="Cut it off in the network instead.")
    ] = False,
) -> None:
    """Lose a zone now: kill -9 of everything in it. Nothing else is told.

    Example: cordillera zone lose b --partition
    """
    if freeze and partition:
        raise typer.BadParameter("--freeze or --partition, not both")
    how = Loss.FROZEN if freeze else Loss.PARTITIONED if partition else Loss.KILLED
    name = context.running("")
    context.target().verbs.lose(name, zone, how)
    render.say(
        f"zone {zone} of {name} is {how}. Watch: cordillera status --watch. "
        f"Back with: cordillera zone return {zone}"
    )


def zone_return(zone: Annotated[str, typer.Argument(help="A zone that was lost.")]) -> None:
    """Have a lost zone back: it catches up and takes its share by itself.

    Example: cordillera zone return b
    """
    name = context.running("")
    context.target().verbs.restore(name, zone)
    render.say(f"zone {zone} of {name} is back and catching up: cordillera status --watch")
