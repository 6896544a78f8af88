"""Words for the day: logs, run, open, vars, mail, secrets."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from cordillera.cli import context, render
from cordillera.components.protocol import Place
from cordillera.core.errors import ManifestError

Json = Annotated[bool, typer.Option("--json", help="For programs.")]
TAIL = 20
SINCE = "a span such as 30m, 2h or 1d, or a time such as 2026-11-26T14:30"


def register(app: typer.Typer) -> None:
    """Add the words of this file."""
    app.command()(logs)
    app.command(context_settings={"ignore_unknown_options": True})(run)
    app.command("open")(open_)
    app.command("vars")(variables)
    app.command()(mail)
    group = typer.Typer(help="Secrets of an environment, sealed at rest.", no_args_is_help=True)
    group.command("set")(secrets_set)
    group.command("list")(secrets_list)
    group.command("get")(secrets_get)
    group.command("rm")(secrets_rm)
    group.command("rotate")(secrets_rotate)
    app.add_typer(group, name="secrets")


def logs(
    service: Annotated[str, typer.Argument(help="A service; all of them when left out.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    since: Annotated[
        str, typer.Option(help="A span such as 30m, 2h or 1d, or a time: 2026-11-26T14:30.")
    ] = "",
    tail: Annotated[
        int | None,
        typer.Option(
            "--tail",
            "-n",
            min=0,
            help="So many last lines of each copy. 20 when left out; all of them with --since.",
        ),
    ] = None,
) -> None:
    """What the services printed. Servers too, by their name: `cordillera logs proxy`.

    Example: cordillera logs web --since 2h, cordillera logs -f web
    """
    begin, name = _moment(since), context.running("")
    last = TAIL if tail is None and begin is None else tail
    verbs, found = context.target_of(name).verbs, False
    for line in verbs.logs(name, service, since=begin, tail=last, follow=follow):
        print(line, flush=follow)
        found = True
    if not found and last != 0 and not context.options.quiet:
        print(_nothing(service, name, begin), file=sys.stderr)


def run(
    service: Annotated[str, typer.Argument(help="The service whose folder and variables it gets.")],
    command: Annotated[list[str], typer.Argument(help="The command, after `--`.")],
    zone: Annotated[str, typer.Option(help="Run it in this zone.")] = "",
) -> None:
    """Run a command as a service would: same release, same variables, same network.

    Example: cordillera run web -- python manage.py createsuperuser
    """
    name = context.running("")
    raise typer.Exit(context.target_of(name).verbs.run(name, service, command, zone=zone))


def open_() -> None:
    """Open the environment's address in a browser; without one, print it."""
    import webbrowser

    name = context.running("")
    url = context.target_of(name).engine("").observe(Place(name, "local")).url
    if not url:
        raise ManifestError("no service is public", hint="give one `public: true`")
    if not (render.interactive() and webbrowser.open(url)):
        print(url)


def variables(
    service: Annotated[str, typer.Argument(help="The service.")],
    reveal: Annotated[bool, typer.Option(help="Show secrets too.")] = False,
    json: Json = False,
) -> None:
    """What a service receives; secrets are masked."""
    name = context.running("")
    found = context.target_of(name).verbs.variables(name, service, reveal=reveal)
    if json:
        render.as_json(found)
    else:
        for key in sorted(found):
            print(f"{key}={found[key]}")


def mail(
    id: Annotated[str, typer.Argument(help="Show this one whole.")] = "",
    json: Json = False,
) -> None:
    """Mails that were captured instead of sent, newest first."""
    name = context.running("")
    verbs = context.target_of(name).verbs
    if id:
        print(verbs.mail_text(name, id))
        return
    found = verbs.mails(name)
    rows = [
        {
            "id": m.id,
            "at": m.at.isoformat(timespec="seconds"),
            "from": m.sender,
            "to": list(m.recipients),
            "subject": m.subject,
            "stream": m.stream,
            "zone": m.zone,
        }
        for m in found
    ]
    if json:
        render.as_json(rows)
    elif rows:
        render.table(
            ("id", "at", "to", "subject", "stream"),
            [
                (
                    str(r["id"]),
                    m.at.astimezone().strftime("%d %b %H:%M:%S"),
                    ", ".join(r["to"]),
                    str(r["subject"]),
                    str(r["stream"]),
                )
                for r, m in zip(rows, found, strict=True)
            ],
        )
    else:
        render.say("No mail yet.")


def secrets_set(
    name: Annotated[str, typer.Argument(help="As the service asks for it, such as SECRET_KEY.")],
    generate: Annotated[bool, typer.Option(help="Make a random value.")] = False,
) -> None:
    """Seal a secret. The value is asked for, or read from standard input; never an argument.

    Example: printf %s "$VALUE" | cordillera secrets set SECRET_KEY
    """
    import secrets as random

    environment = _environment()
    value = random.token_urlsafe(32) if generate else _value(name)
    if not value:
        raise ManifestError(f"{name} would be empty", hint="send the value on standard input")
    context.target_of(environment).verbs.set_secret(environment, name, value)
    render.say(
        f"{name} is sealed for {environment}; it takes effect at the next `cordillera up`.",
        quiet=context.options.quiet,
    )


def secrets_list(json: Json = False) -> None:
    """Names of the secrets that were set; never their values."""
    name = _environment()
    names = list(context.target_of(name).verbs.secrets(name))
    if json:
        render.as_json(names)
    else:
        print("\n".join(names) if names else "No secret was set.")


def secrets_get(name: Annotated[str, typer.Argument(help="The secret.")]) -> None:
    """Print one secret's value, for instance the generated password of an administrator."""
    environment = context.running("")
    print(context.target_of(environment).verbs.reveal_secret(environment, name))


def secrets_rm(name: Annotated[str, typer.Argument(help="The secret.")]) -> None:
    """Forget a secret."""
    environment = _environment()
    if not context.target_of(environment).verbs.drop_secret(environment, name):
        raise ManifestError(
            f"no secret called {name} was set", hint="see `cordillera secrets list`"
        )


def secrets_rotate(
    database: Annotated[str, typer.Argument(help="The database, as the manifest calls it.")],
) -> None:
    """Give the app's user of a database a new password; nobody is locked out meanwhile.

    Example: cordillera secrets rotate db && cordillera up
    """
    name = context.running("")
    target = context.target_of(name)
    with context.alone(target, name, f"secrets rotate {database}"):
        target.verbs.rotate_secret(name, database)
    render.say(
        f"{database} has a new password. Services go on with the one before until `cordillera up` "
        "hands it to them.",
        quiet=context.options.quiet,
    )


def _moment(since: str) -> datetime | None:
    """The time that `--since` means; None when it was left out. Raises ManifestError."""
    if not since:
        return None
    from cordillera.core import units

    now = datetime.now(UTC)
    try:
        found = units.moment(since, now)
    except ValueError as e:
        raise ManifestError(f"--since: {e}", hint=SINCE) from None
    if found > now:
        raise ManifestError(f"--since: {since} is still to come", hint=SINCE)
    return found


def _nothing(service: str, environment: str, since: datetime | None) -> str:
    """That nothing was found, and since when; with the time as it was understood."""
    who = f"{service} has printed nothing" if service else f"{environment} has printed nothing"
    if since is None:
        return f"{who} yet"
    return f"{who} since {since.astimezone():%Y-%m-%d %H:%M:%S %Z}: a longer --since looks further back"


def _environment() -> str:
    """Secrets may be set before the first `up`: the manifest's environments count too."""
    try:
        return context.running("")
    except ManifestError:
        return context.wanted("").environment


def _value(name: str) -> str:
    if sys.stdin.isatty():
        typed: str = typer.prompt(f"Value of {name}", hide_input=True)
        return typed
    return sys.stdin.read().rstrip("\n")
