"""The command `cordillera`: its words, and the one place where errors end."""

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cordillera.cli import author, aws, context, environment, operate, rehearse, render, secrets
from cordillera.core.errors import CordilleraError

SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")

app = typer.Typer(
    help="One file describes the app; one command stands up its environment.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from cordillera import __version__

        print(f"cordillera {__version__}")
        raise typer.Exit


@app.callback()
def options(
    env: Annotated[
        str, typer.Option("--env", "-e", help="Environment, such as acme/certification.")
    ] = "",
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Manifest to read.")] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only what was asked for.")
    ] = False,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """Options that go before the command."""
    context.options.env, context.options.file, context.options.quiet = env, file, quiet


environment.register(app)
operate.register(app)
secrets.register(app)
author.register(app)
rehearse.register(app)
aws.register(app)


def hoisted(words: Sequence[str]) -> list[str]:
    """The same words, with options that belong before the command put there: people write either."""
    first, rest = list[str](), list[str]()
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            rest += [word, *waiting]
        elif word in ("--env", "-e", "--file"):
            first += [word, *(w for w in [next(waiting, None)] if w is not None)]
        elif word in ("--quiet", "-q") or word.startswith(("--env=", "--file=")):
            first.append(word)
        else:
            rest.append(word)
    return first + rest


def with_system_folders(path: str) -> str:
    """Debian's `su` and ordinary users have no folders on PATH where `nft` and servers lie."""
    return ":".join(dict.fromkeys([*path.split(":"), *SYSTEM_FOLDERS]))


def _disk_full(error: OSError) -> CordilleraError:
    where = f" where {error.filename} lies" if error.filename else ""
    return CordilleraError(
        f"the disk is full{where}",
        hint="free some space and run the same command again; what was there is whole",
    )


def main() -> None:
    """Run the command; errors become text and an exit status here."""
    os.environ["PATH"] = with_system_folders(os.environ.get("PATH") or os.defpath)
    try:
        app(args=hoisted(sys.argv[1:]), standalone_mode=True)
    except CordilleraError as error:
        sys.exit(render.fail(error))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        sys.exit(render.fail(_disk_full(error)))
    except KeyboardInterrupt:
        print("\nstopped; nothing is lost: run the same command again", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


if __name__ == "__main__":
    main()
