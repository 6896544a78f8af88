"""Secrets of an environment: `cordillera secrets ...`."""

import sys
from typing import Annotated

import typer

from cordillera.cli import context, render, which
from cordillera.core.errors import ManifestError


def register(app: typer.Typer) -> None:
    """Add the words of this file."""
    group = typer.Typer(help="Secrets of an environment, sealed at rest.", no_args_is_help=True)
    group.command("set")(set_)
    group.command("list")(list_)
    group.command("get")(get)
    group.command("rm")(rm)
    group.command("rotate")(rotate)
    app.add_typer(group, name="secrets")


def set_(
    name: Annotated[str, typer.Argument(help="As the service asks for it, such as SECRET_KEY.")],
    generate: Annotated[bool, typer.Option(help="Make a random value.")] = False,
) -> None:
    """Seal a secret. The value is asked for, or read from standard input; never an argument.

    Example: printf %s "$VALUE" | cordillera secrets set SECRET_KEY
    """
    from secrets import token_urlsafe

    environment = which.environment("secrets set")
    value = token_urlsafe(32) if generate else _value(name)
    if not value:
        raise ManifestError(f"{name} would be empty", hint="send the value on standard input")
    context.target_of(environment).verbs.set_secret(environment, name, value)
    render.say(
        f"{name} is sealed for {environment}; it takes effect at the next `cordillera up`.",
        quiet=context.options.quiet,
    )


def list_(json: render.Json = False) -> None:
    """Names of the secrets that were set; never their values."""
    name = which.environment("secrets list")
    names = list(context.target_of(name).verbs.secrets(name))
    if json:
        render.as_json(names)
    else:
        print("\n".join(names) if names else "No secret was set.")


def get(name: Annotated[str, typer.Argument(help="The secret.")]) -> None:
    """Print one secret's value, for instance the generated password of an administrator."""
    environment = which.environment("secrets get")
    print(context.target_of(environment).verbs.reveal_secret(environment, name))


def rm(name: Annotated[str, typer.Argument(help="The secret.")]) -> None:
    """Forget a secret."""
    environment = which.environment("secrets rm")
    if not context.target_of(environment).verbs.drop_secret(environment, name):
        raise ManifestError(
            f"no secret called {name} was set", hint="see `cordillera secrets list`"
        )


def rotate(
    database: Annotated[str, typer.Argument(help="The database, as the manifest calls it.")],
) -> None:
    """Give the app's user of a database a new password; nobody is locked out meanwhile.

    Example: cordillera secrets rotate db && cordillera up
    """
    name = which.environment("secrets rotate")
    target = context.target_of(name)
    with context.alone(target, name, f"secrets rotate {database}"):
        target.verbs.rotate_secret(name, database)
    render.say(
        f"{database} has a new password. Services go on with the one before until `cordillera up` "
        "hands it to them.",
        quiet=context.options.quiet,
    )


def _value(name: str) -> str:
    if sys.stdin.isatty():
        typed: str = typer.prompt(f"Value of {name}", hide_input=True)
        return typed
    return sys.stdin.read().rstrip("\n")
