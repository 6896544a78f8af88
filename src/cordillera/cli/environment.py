"""Words that make, change, show and end environments."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cordillera.cli import context, render
from cordillera.components.protocol import Place
from cordillera.core.errors import ManifestError, Refused

Env = Annotated[
    str, typer.Argument(help="CUSTOMER/STAGE; may be left out when only one can be meant.")
]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
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

    want = context.wanted(env)
    target = context.target(want.target)
    engine = target.engine(listen)
    began = time.monotonic()
    with context.alone(target, want.environment, "up"):
        found = engine.plan(want, Place(want.environment, want.region))
        provision.refuse_data_loss(found, want.environment, consent=yes_delete_data)
        with progress.live(found.units, quiet=context.options.quiet) as tell:
            token = provision.token_of(datetime.now(UTC))
            provision.apply(engine, found, tell, clock=SystemClock(), token=token)
    state = engine.observe(Place(want.environment, want.region))
    farewell.show(target, want, state, seconds=time.monotonic() - began, changed=len(found.changes))


def down(env: Env = "") -> None:
    """Stop every process of an environment; its data stays, and `up` brings it back."""
    name = context.running(env)
    target = context.target_of(name)
    with context.alone(target, name, "down"):
        target.engine("").stop(Place(name, "local"))
    render.say(f"{name} is down; its data is kept. Back with: cordillera up {name}", quiet=_quiet())


def destroy(
    env: Env = "",
    yes_delete_data: Annotated[str, typer.Option(help="The environment's name, typed again.")] = "",
) -> None:
    """End an environment and delete everything in it, data included.

    Example: cordillera destroy acme/certification --yes-delete-data acme/certification
    """
    name = context.running(env)
    target = context.target_of(name)
    if name not in target.verbs.environments():
        raise ManifestError(
            f"no environment called {name} on this machine", hint="see `cordillera environments`"
        )
    consent = yes_delete_data or _typed_name(name)
    if consent != name:
        raise Refused(
            f"{name}: all of its data would be deleted",
            hint=f"to mean it: --yes-delete-data {name}",
        )
    with context.alone(target, name, "destroy"):
        target.engine("").destroy(Place(name, "local"))
    render.say(f"{name} is gone: nothing of it is left on this machine.", quiet=_quiet())


def plan(
    env: Env = "",
    json: Json = False,
    offline: Annotated[bool, typer.Option(help="Ask no server.")] = False,
) -> None:
    """Show what `up` would change, and whether data is at risk. Touches nothing."""
    want = context.wanted(env)
    found = (
        context.target(want.target)
        .engine("")
        .plan(want, Place(want.environment, want.region), offline=offline)
    )
    if json:
        render.as_json(render.plan_json(found))
    else:
        render.plan(found)


def status(
    env: Env = "",
    json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Repeat every second.")] = False,
) -> None:
    """What an environment is like now, from live probes. Exit status 0 when healthy, 1 when not."""
    from cordillera.cli import status_view

    name = context.running(env)
    engine = context.target_of(name).engine("")
    while True:
        state = engine.observe(Place(name, "local"))
        if json:
            render.as_json(status_view.as_dict(state))
        else:
            status_view.show(state, clear=watch)
        if not watch:
            raise typer.Exit(0 if state.healthy else 1)
        time.sleep(WATCH_EVERY_S)


def environments(json: Json = False) -> None:
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
    folder: Annotated[Path, typer.Option(help="Where the environment's file goes.")] = Path(
        "environments"
    ),
) -> None:
    """Take on a customer without touching the app: write a file for one more environment.

    Example: cordillera env create globex/production --target aws
    """
    from cordillera.manifest import find

    manifest = context.options.file or find.manifest_file(Path.cwd())
    written = find.create_environment(manifest, name, target=target, folder=folder)
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


def _typed_name(name: str) -> str:
    if not (sys.stdin.isatty() and render.interactive()):
        return ""
    typed: str = typer.prompt(
        f"Type {name} to delete it and all of its data", default="", show_default=False
    )
    return typed.strip()


def _quiet() -> bool:
    return context.options.quiet
