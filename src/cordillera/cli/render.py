"""Errors, tables and progress become text here, nowhere else."""

import json
import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

import typer

from cordillera.components.protocol import Change, Effect, Plan
from cordillera.core.errors import CordilleraError

Json = Annotated[bool, typer.Option("--json", help="For programs.")]
"""The option of every word that lists."""

EFFECT_STYLE = {
    Effect.CREATE: "green",
    Effect.UPDATE: "cyan",
    Effect.RESTART: "yellow",
    Effect.REPLACE: "red",
    Effect.DELETE: "red",
}
EFFECT_SIGN = {
    Effect.CREATE: "+",
    Effect.UPDATE: "~",
    Effect.RESTART: "↻",
    Effect.REPLACE: "±",
    Effect.DELETE: "-",
}


NO_EDGE = 10_000
"""Columns where nobody looks: what another program reads is never broken into lines."""


@cache
def console(*, stderr: bool = False) -> Any:
    """The terminal; honours NO_COLOR and whether anybody looks."""
    from rich.console import Console

    seen = (sys.stderr if stderr else sys.stdout).isatty() or "COLUMNS" in os.environ
    return Console(stderr=stderr, highlight=False, soft_wrap=False, width=None if seen else NO_EDGE)


def fail(error: CordilleraError) -> int:
    """Print an error and its hint, or all that it stands for; the exit status."""
    for one in getattr(error, "all", (error,)):
        _tell(one)
    return error.exit_status


def _tell(error: CordilleraError) -> None:
    where = f"{error.where}: " if error.where else ""
    out = console(stderr=True)
    out.print("[bold red]error:[/] ", end="")
    out.print(f"{where}{error}", markup=False, soft_wrap=True)
    if error.hint:
        out.print("  [bold]try:[/] ", end="")
        out.print(error.hint, markup=False, soft_wrap=True)


def as_json(value: object) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def say(text: str, *, quiet: bool = False) -> None:
    """A line for people, on stdout."""
    if not quiet:
        console().print(text)


def aside(text: str, *, quiet: bool = False) -> None:
    """Lines for people, on stderr: what is on stdout goes into a file."""
    if not quiet:
        console(stderr=True).print(text, markup=False, soft_wrap=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A plain table without borders; wraps where the terminal ends, but for names in the first column."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold dim")
    for index, column in enumerate(columns):
        made.add_column(column, overflow="fold", no_wrap=index == 0)
    for row in rows:
        made.add_row(*row)
    console().print(made)


def plan(found: Plan) -> None:
    """What would change, component by component, what that replaces, and whether data is at risk."""
    if not found.changes:
        say("Nothing to change.")
        return
    by_component: dict[str, list[Change]] = {}
    for change in found.changes:
        by_component.setdefault(change.component, []).append(change)
    rows = []
    for component, changes in by_component.items():
        rows.append((f"[bold]{component}[/]", "", f"[dim]{len(changes)}[/]", ""))
        rows += [_change(change) for change in changes]
    table(("", "name", "why", ""), rows)
    say(f"\n{len(found.changes)} changes in {len(found.units)} units, plan {found.id}")
    replaced = [c.name for c in found.changes if c.effect is Effect.REPLACE]
    if replaced:
        say(f"[red]replaced:[/] {', '.join(replaced)}")
    for note in found.notes:
        say(f"note: {note}")


def _change(c: Change) -> tuple[str, str, str, str]:
    risk = "[bold red]data is lost[/]" if c.endangers_data else "data kept" if c.holds_data else ""
    return (
        f"  [{EFFECT_STYLE[c.effect]}]{EFFECT_SIGN[c.effect]} {c.effect.name.lower()}[/]",
        c.name,
        c.why + ("" if c.certain else " (perhaps)"),
        risk,
    )


def plan_json(found: Plan) -> dict[str, Any]:
    """A plan for programs."""
    return {
        "id": found.id,
        "units": list(found.units),
        "changes": [
            {
                "component": c.component,
                "name": c.name,
                "effect": c.effect.name.lower(),
                "holds_data": c.holds_data,
                "loses_data": c.endangers_data,
                "certain": c.certain,
                "why": c.why,
            }
            for c in found.changes
        ],
        "notes": list(found.notes),
    }


def span(seconds: float) -> str:
    """A time span as people read it: 12s, 3m, 5h, 2d."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"


def size(count: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "K", "M", "G"):
        if count < 1024 or unit == "G":
            return f"{count:.0f}{unit}"
        count /= 1024
    return ""


def interactive() -> bool:
    """Whether a person watches: a terminal, and neither CI nor a dumb one."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")
