"""Words for the day: logs, run, open, vars, mail."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from cordillera.cli import context, render, which
from cordillera.components.protocol import Place
from cordillera.core.errors import ManifestError

TAIL = 20
SINCE = "a span such as 30m, 2h or 1d, or a time such as 2026-11-26T14:30"


def register(app: typer.Typer) -> None:
    """Add the words of this file."""
    app.command()(logs)
    app.command(context_settings={"ignore_unknown_options": True})(run)
    app.command("open")(open_)
    app.command("vars")(variables)
    app.command()(mail)


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
    begin, name = _moment(since), which.environment("logs")
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
    name = which.environment("run")
    raise typer.Exit(context.target_of(name).verbs.run(name, service, command, zone=zone))


def open_() -> None:
    """Open the environment's address in a browser; without one, print it."""
    import webbrowser

    name = which.environment("open")
    url = context.target_of(name).engine("").observe(Place(name, "local")).url
    if not url:
        raise ManifestError("no service is public", hint="give one `public: true`")
    if not (render.interactive() and webbrowser.open(url)):
        print(url)


def variables(
    service: Annotated[str, typer.Argument(help="The service.")],
    reveal: Annotated[bool, typer.Option(help="Show secrets too.")] = False,
    json: render.Json = False,
) -> None:
    """What a service receives; secrets are masked."""
    name = which.environment("vars")
    found = context.target_of(name).verbs.variables(name, service, reveal=reveal)
    if json:
        render.as_json(found)
    else:
        for key in sorted(found):
            print(f"{key}={found[key]}")


def mail(
    id: Annotated[str, typer.Argument(help="Show this one whole.")] = "",
    json: render.Json = False,
) -> None:
    """Mails that were captured instead of sent, newest first."""
    name = which.environment("mail")
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
