"""Live progress of a plan: each unit, its state, its seconds, and what whoever waits must know."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cordillera.cli import render
from cordillera.cli.notes import Board
from cordillera.operations.provision import Step, Tell

SIGN = {"working": "[yellow]…[/]", "done": "[green]✓[/]", "failed": "[red]✗[/]"}
DETAIL_WIDTH = 90
BELOW_MAX = 6


@contextmanager
def live(units: tuple[str, ...], *, quiet: bool) -> Iterator[Tell]:
    """A function to tell steps to: a live tree on a terminal, else a line per finished unit.

    When quiet only notes of units are told, on stderr: what somebody must do is no noise.
    """
    if quiet:
        yield _Quiet().tell
    elif render.interactive():
        with _Live(units) as shown:
            yield shown.tell
    else:
        yield _Lines().tell


class _Quiet:
    """Notes only, each once."""

    def __init__(self) -> None:
        self._board = Board()

    def tell(self, step: Step) -> None:
        for note in self._board.new(step):
            print(f"note: {note}", file=sys.stderr, flush=True)


class _Lines:
    """A line when a unit is done or fails, and every ten seconds while it works; each note once."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}
        self._board = Board()

    def tell(self, step: Step) -> None:
        if step.state == "note":
            print(f"    note  {step.detail}", flush=True)
            return
        for note in self._board.new(step):
            print(f"    note  {note}", flush=True)
        due = step.state == "working" and step.seconds - self._told.get(step.unit, 0) >= 10
        if step.state == "working" and not due:
            return
        self._told[step.unit] = step.seconds
        detail = (
            ""
            if step.state == "done"
            else f"  {step.detail.splitlines()[0] if step.detail else ''}"
        )
        print(f"{step.state:>8}  {step.unit:<24} {step.seconds:6.1f} s{detail}", flush=True)


class _Live:
    """A table that is redrawn in place, notes below it; finished units stay above it."""

    def __init__(self, units: tuple[str, ...]) -> None:
        from rich.live import Live

        self._steps: dict[str, Step] = {}
        self._board = Board()
        self._left, self._began = len(units), time.monotonic()
        self._live: Any = Live(console=render.console(), refresh_per_second=8, transient=True)

    def __enter__(self) -> "_Live":
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Notes that still hold are left on the terminal: whoever gave up waiting needs them most."""
        self._live.stop()
        self._leave(self._board.held)

    def tell(self, step: Step) -> None:
        if step.state == "note":
            self._live.console.print(f"  note: {step.detail}", markup=False)
            return
        news = bool(self._board.new(step)) or step.state != "working"
        if step.state == "working":
            self._steps[step.unit] = step
        else:
            self._steps.pop(step.unit, None)
            self._left -= 1
            self._live.console.print(_line(step))
        self._live.update(self._working(), refresh=news)

    def _working(self) -> Any:
        from rich.console import Group
        from rich.text import Text

        rows = [one for step in self._steps.values() for one in _tree(step)]
        spent_s = time.monotonic() - self._began
        left = f", {self._left} units left" if self._left > 0 else ""
        tree = [*rows, Text(f"  {spent_s:.0f} s{left}", style="dim")]
        shown, hidden = self._board.fitting(self._live.console, tree)
        self._leave(hidden)
        return Group(*tree, *shown)

    def _leave(self, notes: Any) -> None:
        """Print notes where they stay, each once, to be copied: the terminal itself breaks their lines."""
        for note in self._board.not_left(notes):
            self._live.console.print(note, soft_wrap=True)


def _tree(step: Step) -> list[Any]:
    """A unit, and below it what is being worked on in it."""
    from rich.text import Text

    below = step.detail.splitlines()[1 : BELOW_MAX + 1]
    lines = [Text(f"      {line[:DETAIL_WIDTH]}", style="dim") for line in below]
    return [Text.from_markup(_line(step)), *lines]


def _line(step: Step) -> str:
    from rich.markup import escape

    detail = escape(step.detail.splitlines()[0][:DETAIL_WIDTH]) if step.detail else ""
    shown = "" if step.state == "done" else f"  [dim]{detail}[/]"
    return f"  {SIGN[step.state]} {step.unit:<22} [dim]{step.seconds:5.1f} s[/]{shown}"
