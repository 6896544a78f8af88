"""Words for rehearsals: losing a zone on purpose and having it back."""

import time
from pathlib import Path
from typing import Annotated

import typer

from cordillera.cli import context, render, which
from cordillera.components.protocol import Place
from cordillera.components.target import Loss
from cordillera.core.errors import Refused


def register(app: typer.Typer) -> None:
    """Add the words of this file."""
    group = typer.Typer(help="Lose a zone on purpose, and have it back.", no_args_is_help=True)
    group.command("lose")(zone_lose)
    group.command("return")(zone_return)
    app.add_typer(group, name="zone")
    rehearsals = typer.Typer(help="Rehearse losses under load.", no_args_is_help=True)
    rehearsals.callback()(_rehearse)
    rehearsals.command("load")(load)
    app.add_typer(rehearsals, name="rehearse")


def _rehearse() -> None:
    """Losses, with a record of everything that was acknowledged."""


def zone_lose(
    zone: Annotated[str, typer.Argument(help="A zone, or witness.")],
    freeze: Annotated[bool, typer.Option("--freeze", help="Stop its processes instead.")] = False,
    partition: Annotated[
        bool, typer.Option("--partition", help="Cut it off in the network instead.")
    ] = False,
) -> None:
    """Lose a zone now: kill -9 of everything in it. Nothing else is told.

    The environment is named, and its manifest says `rehearsal: true`.

    Example: cordillera --env acme/certification zone lose b --partition
    """
    if freeze and partition:
        raise typer.BadParameter("--freeze or --partition, not both")
    how = Loss.FROZEN if freeze else Loss.PARTITIONED if partition else Loss.KILLED
    name = which.environment("zone lose")
    context.target().verbs.lose(name, zone, how)
    render.say(
        f"zone {zone} of {name} is {how}. Watch: cordillera status {name} --watch. "
        f"Back with: cordillera --env {name} zone return {zone}"
    )


def zone_return(zone: Annotated[str, typer.Argument(help="A zone that was lost.")]) -> None:
    """Have a lost zone back: it catches up and takes its share by itself.

    Example: cordillera --env acme/certification zone return b
    """
    name = which.environment("zone return")
    context.target().verbs.restore(name, zone)
    render.say(f"zone {zone} of {name} is back and catching up: cordillera status {name} --watch")


def load(
    seconds: Annotated[int, typer.Option(min=5, help="How long.")] = 60,
    rate: Annotated[
        float, typer.Option(min=1, help="Requests a second, a fifth of them writes.")
    ] = 100,
    lose: Annotated[str, typer.Option(help="Lose this zone after a third of the time.")] = "",
    how: Annotated[Loss, typer.Option(help="How it is lost.")] = Loss.KILLED,
    report: Annotated[Path | None, typer.Option(help="Write a page with a timeline.")] = None,
    as_json: render.Json = False,
) -> None:
    """Load the app, lose a zone meanwhile, and compare what was acknowledged with what is there.

    The app answers under /rehearsal/ as examples/ledger does. Exit status 1 if anything was lost.

    The environment is named, and its manifest says `rehearsal: true`.

    Example: cordillera --env zone/rehearsal rehearse load --lose a --report rehearsal.html
    """
    from cordillera.operations.rehearsal import load as loads
    from cordillera.operations.rehearsal import report as reports

    name = which.environment("rehearse load")
    target = context.target()
    engine, at = target.engine(""), Place(name, target.name)
    state = engine.observe(at)
    if lose and not state.healthy:
        raise Refused(
            f"{name} is not healthy: losing zone {lose} now would be a second loss, not a rehearsal",
            hint="wait until `cordillera status` says healthy",
        )
    certificate = target.verbs.certificate_file(name)
    assert certificate is not None, "local has an authority of its own"
    begun = loads.Load(state.url, certificate, lambda: engine.observe(at))
    begun.refuse_unless_answered()
    begun.start(rate=rate, seconds=seconds)
    if lose:
        time.sleep(seconds / 3)
        try:
            target.verbs.lose(name, lose, how)
            begun.event(f"zone {lose} {how}")
            time.sleep(seconds / 3)
        finally:
            target.verbs.restore(name, lose)
        begun.event(f"zone {lose} back")
    begun.wait()
    lost = begun.record.lost(begun.world())
    facts = reports.facts(begun.record, lost)
    if report:
        report.write_text(reports.page(f"{name}: a rehearsal", begun.record, lost, seconds))
    if as_json:
        render.as_json({what: figure for what, figure, _ in facts})
    else:
        render.table(["what", "figure"], [[what, figure] for what, figure, _ in facts])
    raise typer.Exit(1 if any(bad for _, _, bad in facts) else 0)
