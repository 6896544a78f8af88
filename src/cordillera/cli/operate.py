"""Words for the day: logs, run, open, vars, mail, secrets."""

import sys
from typing import Annotated

import typer

from cordillera.cli import context, render
from cordillera.components.protocol import Place
from cordillera.core.errors import ManifestError

Json = Annotated[bool, typer.Option("--json", help="For programs.")]


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
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="Last lines of each copy.")
    ] = 20,
) -> None:
    """What the services printed. Servers too, by their name: `cordillera logs proxy`.

    Example: cordillera logs -f web
    """
    name = context.running("")
    for line in context.target_of(name).verbs.logs(name, service, lines=lines, follow=follow):
        print(line, flush=follow)


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
