"""Words that make, change, show and end environments."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cordillera.cli import consent, context, render, which
from cordillera.components.protocol import Place, Progress, Tell
from cordillera.core.errors import ManifestError

if TYPE_CHECKING:
    from cordillera.components.target import Target
    from cordillera.operations.provision import Step

Env = Annotated[
    str, typer.Argument(help="CUSTOMER/STAGE; may be left out when the manifest here has only one.")
]
WATCH_EVERY_S = 1.0


def register(app: typer.Typer) -> None:
    """Add the words of this file."""
    for word in (up, down, destroy, plan, status, environments):
        app.command()(word)
    group = typer.Typer(help="Environments outside the app's folder.", no_args_is_help=True)
    group.command("create")(create)
    app.add_typer(group, name="env")
    boot = typer.Typer(
        help="Bring environments back when the machine starts.", no_args_is_help=True
    )
    boot.command("enable")(boot_enable)
    boot.command("disable")(boot_disable)
    boot.command("start", hidden=True)(boot_start)
    app.add_typer(boot, name="boot")


def up(
    env: Env = "",
    listen: Annotated[str, typer.Option(help="Published address, such as 0.0.0.0:443.")] = "",
    yes_delete_data: Annotated[
        str, typer.Option(help="Name of the environment whose data may go.")
    ] = "",
) -> None:
    """Make the environment what the manifest says. Convergent: run it as often as you like.

    Example: cordillera up acme/certification --listen 0.0.0.0:8443
    """
    from cordillera.cli import farewell, progress
    from cordillera.core.clock import SystemClock
    from cordillera.operations import provision

    want = replace(which.wanted(env), asked_by=context.user())
    target = context.target(want.target)
    engine = target.engine(listen)
    began = time.monotonic()
    at = Place(want.environment, want.region)
    with context.alone(target, want.environment, "up"):
        found = engine.plan(want, at)
        provision.refuse_data_loss(found, want.environment, consent=yes_delete_data)
        units = (*found.units, provision.SETTLING) if found.changes else ()
        with progress.live(units, quiet=context.options.quiet) as tell:
            token = provision.token_of(datetime.now(UTC))
            provision.apply(engine, found, tell, clock=SystemClock(), token=token)
            if found.changes:
                state = provision.settle(engine, at, tell, clock=SystemClock())
            else:
                target.verbs.remember(want)
                state = engine.observe(at)
    farewell.show(target, want, state, seconds=time.monotonic() - began, changed=len(found.changes))


def down(
    env: Env = "",
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Stop what somebody else brought up, without being asked."),
    ] = False,
) -> None:
    """Stop every process of an environment; its data stays, and `up` brings it back.

    Asks when it was brought up from another folder or by another user.

    Example: cordillera down acme/certification
    """
    name = which.environment("down", env)
    target = context.target_of(name)
    consent.to_stop(target, name, env, yes=yes)
    with context.alone(target, name, "down"):
        target.engine("").stop(Place(name, "local"))
    render.say(f"{name} is down; its data is kept. Back with: cordillera up {name}", quiet=_quiet())


def destroy(
    env: Env = "",
    yes_delete_data: Annotated[str, typer.Option(help="The environment's name, typed again.")] = "",
    yes_delete_secrets: Annotated[
        bool, typer.Option(help="Delete secrets that somebody chose without asking.")
    ] = False,
) -> None:
    """End an environment and delete everything in it, data included. Asks for its name.

    Says who brought it up, and from where, when that was another user or another folder.

    Example: cordillera destroy acme/certification --yes-delete-data acme/certification
    """
    from cordillera.cli import progress

    name = which.environment("destroy", env)
    target = context.target_of(name)
    if name not in target.verbs.environments():
        raise ManifestError(
            f"no environment called {name} on this machine", hint="see `cordillera environments`"
        )
    consent.to_delete(target, name, env, typed=yes_delete_data)
    with context.alone(target, name, "destroy"):
        kept = _secrets(target, name, drop=yes_delete_secrets)
        with progress.live((), quiet=_quiet()) as tell:
            target.engine("").destroy(Place(name, "local"), _heard(tell))
    render.say(f"{name} is gone: nothing of it is left on this machine.", quiet=_quiet())
    if kept:
        render.say(f"Secrets that somebody chose are kept: {', '.join(kept)}", quiet=_quiet())


def _heard(tell: "Callable[[Step], None]") -> Tell:
    """How far each unit is, as steps; a unit is told once when it is done."""
    from cordillera.operations.provision import Step

    began: dict[str, float] = {}

    def hear(unit: str, now: Progress) -> None:
        spent_s = time.monotonic() - began.setdefault(unit, time.monotonic())
        tell(Step(unit, "done" if now.done else "working", spent_s, now.detail, now.notes))

    return hear


def _secrets(target: "Target", name: str, *, drop: bool) -> list[str]:
    """Names of the chosen secrets that stay; they go when it is agreed, and are named before."""
    names = list(target.verbs.outliving(name))
    if names and not drop and sys.stdin.isatty():
        drop = typer.confirm(f"Delete the secrets {', '.join(names)} too?", default=False)
    if not drop:
        return names
    for one in names:
        target.verbs.drop_secret(name, one)
    return []


def plan(
    env: Env = "",
    json: render.Json = False,
    offline: Annotated[bool, typer.Option(help="Ask no server.")] = False,
    drift: Annotated[bool, typer.Option(help="Tell also what was changed by hand.")] = False,
) -> None:
    """Show what `up` would change, whether data is at risk, and what it costs. Touches nothing.

    Example: cordillera plan acme/production --offline
    """
    from cordillera.cli import bill_view

    want = which.wanted(env)
    target = context.target(want.target)
    engine = target.engine("")
    found = engine.plan(want, Place(want.environment, want.region), offline=offline)
    details = engine.details(found)
    moved = list(target.verbs.drift(want.environment)) if drift else None
    if json:
        more = {} if moved is None else {"drift": [vars(one) for one in moved]}
        render.as_json({**render.plan_json(found), **bill_view.as_dict(details), **more})
    else:
        render.plan(found)
        bill_view.show(details, found)
        bill_view.show_drift(moved)


def status(
    env: Env = "",
    json: render.Json = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Repeat every second.")] = False,
    drift: Annotated[bool, typer.Option(help="Tell also what was changed by hand.")] = False,
) -> None:
    """What an environment is like now, from live probes. Exit status 0 when healthy, 1 when not."""
    from cordillera.cli import bill_view, status_view

    name = which.environment("status", env)
    target = context.target_of(name)
    engine = target.engine("")
    while True:
        state = engine.observe(Place(name, "local"))
        moved = list(target.verbs.drift(name)) if drift else None
        if json:
            more = {} if moved is None else {"drift": [vars(one) for one in moved]}
            render.as_json({**status_view.as_dict(state), **more})
        else:
            status_view.show(state, clear=watch)
            bill_view.show_drift(moved)
        if not watch:
            raise typer.Exit(0 if state.healthy else 1)
        time.sleep(WATCH_EVERY_S)


def environments(json: render.Json = False) -> None:
    """Environments on this machine, and those that the manifest of this folder names."""
    from cordillera.cli import status_view

    rows = status_view.environments(context.target(), context.named_here())
    if json:
        render.as_json(rows)
    elif rows:
        render.table(
            ("environment", "state", "address"),
            [(r["environment"], r["state"], r["url"]) for r in rows],
        )
    else:
        render.say("No environment yet: run `cordillera up` in a folder with a cordillera.yaml.")


def create(
    name: Annotated[str, typer.Argument(help="CUSTOMER/STAGE")],
    target: Annotated[str, typer.Option(help="local, aws, kubernetes or swarm.")] = "local",
    region: Annotated[str, typer.Option(help="Where a cloud runs it: eu-central-1, say.")] = "",
    folder: Annotated[Path, typer.Option(help="Where the environment's file goes.")] = Path(
        "environments"
    ),
) -> None:
    """Take on a customer without touching the app: write a file for one more environment.

    Example: cordillera env create globex/production --target aws --region eu-central-1
    """
    from cordillera.manifest import find

    manifest = context.manifest_file()
    written = find.create_environment(manifest, name, target=target, folder=folder, region=region)
    render.say(f"Wrote {written}. Next: cordillera up {name}", quiet=_quiet())


def boot_enable() -> None:
    """Bring back, when this machine starts, every environment that was up (needs systemd)."""
    from cordillera.cli import boot

    render.say(boot.enable(), quiet=_quiet())


def boot_disable() -> None:
    """Undo `boot enable`."""
    from cordillera.cli import boot

    render.say(boot.disable(), quiet=_quiet())


def boot_start() -> None:
    """Bring back what was up, as it was: the same releases, whatever the app's folder holds now."""
    from cordillera.cli import boot

    boot.start(context.target())


def _quiet() -> bool:
    return context.options.quiet
