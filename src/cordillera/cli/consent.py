"""Asking before an environment that somebody else brought up is stopped or deleted."""

import sys
from typing import TYPE_CHECKING

import typer

from cordillera.cli import context, render, which
from cordillera.core.errors import ManifestError, Refused

if TYPE_CHECKING:
    from cordillera.components.target import Target

ELSEWHERE = "`cordillera environments` lists what there is"


def origin(target: "Target", name: str) -> str:
    """A sentence on who brought it up, and from where; empty when that was this user in this folder."""
    try:
        want = target.verbs.again(name)
    except ManifestError:  # killed before it could remember: nobody knows
        return f"{name} was brought up from an unknown folder by an unknown user"
    if want.folder == context.folder() and want.asked_by in ("", context.user()):
        return ""
    who = f"by {want.asked_by}" if want.asked_by else "by an unknown user"
    return f"{name} was brought up from {want.folder} {who}"


def to_stop(target: "Target", name: str, argument: str, *, yes: bool) -> None:
    """Ask whether what somebody else brought up may be stopped; `yes` answers, where the name was typed.

    Raises Refused when it may not, or when nobody can be asked.
    """
    came = origin(target, name)
    if not came or (yes and which.named(argument)):
        return
    if not _can_ask():
        raise Refused(came, hint=f"to stop it all the same: cordillera down {name} --yes")
    if not typer.confirm(f"{came}. Stop it?", default=False):
        raise Refused(f"{name} is left as it is", hint=ELSEWHERE)


def to_delete(target: "Target", name: str, argument: str, *, typed: str) -> None:
    """Ask for the name before everything is deleted; `typed` answers, and what somebody else brought up
    must have been named besides. Raises Refused when it is not meant, or when nobody can be asked.
    """
    came = origin(target, name)
    if typed and came and not which.named(argument):
        raise Refused(came, hint=f"to mean it: cordillera destroy {name} --yes-delete-data {name}")
    if came:
        render.aside(came, quiet=context.options.quiet and bool(typed))
    if (typed or _typed_name(name)) != name:
        raise Refused(
            f"{came or name}: all of its data would be deleted",
            hint=f"to mean it: cordillera destroy {name} --yes-delete-data {name}",
        )


def _typed_name(name: str) -> str:
    if not _can_ask():
        return ""
    typed: str = typer.prompt(
        f"Type {name} to delete it and all of its data", default="", show_default=False
    )
    return typed.strip()


def _can_ask() -> bool:
    return sys.stdin.isatty() and render.interactive()
