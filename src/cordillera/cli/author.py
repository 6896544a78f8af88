"""Words for whoever writes the manifest or prepares the machine: init, check, explain, eject, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from cordillera.cli import context, render, which
from cordillera.core.errors import Refused

MANIFEST = "cordillera.yaml"
STATUS_STYLE = {
    "ok": "green",
    "missing": "red",
    "too old": "red",
    "failed": "red",
    "weaker": "yellow",
}


def register(app: typer.Typer) -> None:
    """Add the words of this file."""
    for word in (init, check, explain, eject, doctor):
        app.command()(word)


def init(
    from_: Annotated[
        Path | None, typer.Option("--from", help="A Compose file or a Procfile.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Replace a manifest that is there.")] = False,
) -> None:
    """Write a first cordillera.yaml for the app in this folder.

    Example: cordillera init --from compose.yaml
    """
    from cordillera.manifest import from_compose
    from cordillera.manifest import init as first

    path = context.options.file or Path(MANIFEST)
    if path.exists() and not force:
        raise Refused(f"{path} is there already", hint="to replace it: --force")
    text, remarks = (
        from_compose.from_compose(from_) if from_ else (first.first_manifest(Path.cwd()), [])
    )
    path.write_text(text)
    for remark in remarks:
        render.say(f"  note: {remark}", quiet=context.options.quiet)
    render.say(
        f"Wrote {path}. Next: cordillera check, then cordillera up", quiet=context.options.quiet
    )


def check() -> None:
    """Read the manifest and tell everything that is wrong with it. Touches nothing."""
    from cordillera.manifest import find

    path = context.manifest_file()
    manifest = find.with_environments(path)
    names = ", ".join(manifest.environments) or "none"
    render.say(
        f"{path} is good: {len(manifest.services)} services, {len(manifest.resources)} resources; "
        f"environments: {names}",
        quiet=context.options.quiet,
    )


def explain(
    key: Annotated[str, typer.Argument(help="Such as services.web.health or resources.db")] = "",
) -> None:
    """What a key of the manifest means, its type and its default.

    Example: cordillera explain services.web.scale
    """
    from cordillera.manifest import explain as words

    print(words.explain(key))


def eject(
    env: Annotated[str, typer.Argument(help="CUSTOMER/STAGE.")] = "",
    to: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("ejected"),
) -> None:
    """Write an environment as plain files for the cloud's own tools: nobody is locked in.

    Example: cordillera eject acme/production --to acme
    """
    want = which.wanted(env)
    written = context.target(want.target).verbs.eject(want, to)
    render.say(f"Wrote {len(written)} files. Next: read {written[0]}", quiet=context.options.quiet)


def doctor(json: render.Json = False) -> None:
    """What this machine has and lacks, with the command that mends it."""
    found = context.target().verbs.doctor()
    if json:
        render.as_json([vars(f) for f in found])
    else:
        rows = [
            (f"[{STATUS_STYLE.get(f.status, 'white')}]{f.status}[/]", f.name, f.detail, f.remedy)
            for f in found
        ]
        render.table(("", "what", "found", "to mend it"), rows)
    bad = [f for f in found if f.required and f.status != "ok"]
    raise typer.Exit(1 if bad else 0)
