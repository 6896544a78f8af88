"""Which environment a command acts on: what may be chosen for it depends on what it does."""

import contextlib
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from cordillera.cli import context, render
from cordillera.core.errors import CordilleraError, ManifestError, Refused

if TYPE_CHECKING:
    from cordillera.components.wanted import Wanted


class Kind(Enum):
    """What a command does to an environment."""

    NONE = "acts on files, on the machine, or on all environments: there is nothing to choose"
    READS = "changes nothing: the only environment that can be meant is chosen, and told"
    CHANGES = "acts on what is named, or on the only environment of the folder's manifest"
    LOSES = "acts on what is named, where the manifest allows rehearsals"
    REPAIRS = "acts on what is named"


KINDS = {
    "up": Kind.CHANGES,
    "down": Kind.CHANGES,
    "destroy": Kind.CHANGES,
    "run": Kind.CHANGES,
    "secrets set": Kind.CHANGES,
    "secrets rm": Kind.CHANGES,
    "secrets rotate": Kind.CHANGES,
    "zone lose": Kind.LOSES,
    "zone return": Kind.REPAIRS,
    "rehearse load": Kind.LOSES,
    "plan": Kind.READS,
    "status": Kind.READS,
    "logs": Kind.READS,
    "open": Kind.READS,
    "vars": Kind.READS,
    "mail": Kind.READS,
    "eject": Kind.READS,
    "secrets list": Kind.READS,
    "secrets get": Kind.READS,
    "environments": Kind.NONE,
    "env create": Kind.NONE,
    "boot enable": Kind.NONE,
    "boot disable": Kind.NONE,
    "boot start": Kind.NONE,
    "init": Kind.NONE,
    "check": Kind.NONE,
    "explain": Kind.NONE,
    "doctor": Kind.NONE,
    "aws policy": Kind.NONE,
    "aws role": Kind.NONE,
}
"""Every command there is. A test compares this with the commands themselves."""

POSITIONAL = ("up", "down", "destroy", "plan", "status", "eject")
"""Commands whose first argument is the environment."""
EXAMPLE = "acme/certification"


def environment(word: str, argument: str = "") -> str:
    """The name of the environment that the command `word` acts on. Asks no server.

    Raises ManifestError when nothing names it, Refused where the manifest does not allow rehearsals.
    """
    kind = KINDS[word]
    name = named(argument)
    if kind is Kind.READS:
        return name or _only_named() or _chosen()
    if kind is Kind.CHANGES:
        return name or _of_manifest(word)
    if not name:
        raise ManifestError(
            f"`cordillera {word}` acts on a named environment only", hint=_example(word)
        )
    if kind is Kind.LOSES:
        _refuse_unless_allowed(word, name)
    return name


def wanted(argument: str = "") -> "Wanted":
    """The environment as the manifest wants it, for commands that need one. Raises ManifestError."""
    from cordillera.manifest import find, resolve

    path = context.manifest_file()
    manifest = find.with_environments(path)
    name = named(argument) or _only(list(manifest.environments))
    return resolve.wanted(manifest, name, path.parent.resolve())


def named(argument: str) -> str:
    """What was named, as an argument or by `--env`; empty when nothing was. Raises ManifestError for two."""
    option = context.options.env
    if argument and option and argument != option:
        raise ManifestError(
            f"two environments are named, {argument} and {option}", hint="name one of them"
        )
    return argument or option


def _of_manifest(word: str) -> str:
    """The only environment of this folder's manifest; what is up on the machine does not count."""
    from cordillera.manifest import find

    try:
        path = context.manifest_file()
    except ManifestError:
        raise ManifestError(
            "no environment is named, and this folder has no cordillera.yaml", hint=_example(word)
        ) from None
    return _only(list(find.with_environments(path).environments))


def _only_named() -> str:
    names = context.named_here()
    return names[0] if len(names) == 1 else ""


def _chosen() -> str:
    """What can be meant besides: up from this folder, of its manifest elsewhere, or alone on the machine."""
    here = list(context.target().verbs.environments())
    name = _only(_of_this_folder(here) or context.elsewhere() or here)
    render.aside(f"{name}, chosen because no other can be meant", quiet=context.options.quiet)
    return name


def _of_this_folder(names: list[str]) -> list[str]:
    folders = [Path.cwd(), *Path.cwd().parents]
    return [name for name in names if _folder_of(name) in folders]


def _folder_of(name: str) -> Path | None:
    """None while it is half made, or when its memory is unreadable: that is told to who names it."""
    with contextlib.suppress(CordilleraError):
        return context.target().verbs.folder_of(name)
    return None


def _refuse_unless_allowed(word: str, name: str) -> None:
    if not context.target().verbs.again(name).rehearsal:
        raise Refused(
            f"{name} is not for rehearsals: its manifest does not allow `cordillera {word}`",
            hint=f"write `rehearsal: true` under environments.{name} and run `cordillera up {name}`",
        )


def _only(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    if not names:
        raise ManifestError(
            "no environment is here", hint="run `cordillera up`, or name one: --env CUSTOMER/STAGE"
        )
    raise ManifestError(
        f"several environments could be meant: {', '.join(names)}",
        hint=f"name one: --env {names[0]}",
    )


def _example(word: str) -> str:
    """The command again, naming an environment."""
    name = next(iter(context.target().verbs.environments()), EXAMPLE)
    line = f"{word} {name}" if word in POSITIONAL else f"--env {name} {word} ..."
    return f"name one: cordillera {line}"
