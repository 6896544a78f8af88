"""What must be known while `up` waits is told once, whole, and stays in sight while it holds."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rich.console import Console

from cordillera.cli import progress, render
from cordillera.components.protocol import Note
from cordillera.operations.provision import Step

VALUE = "_" + "0f1e2d3c4b5a6978" * 7 + ".acm-validations.aws"
SENTENCE = "write this record into your DNS"
RECORD = Note(SENTENCE, (("name", "_a1.news.example"), ("type", "CNAME"), ("value", VALUE)))
LINE = f"{SENTENCE}: name _a1.news.example type CNAME value {VALUE}"


def waits(unit: str = "front", seconds: float = 0, notes: tuple[Note, ...] = (RECORD,)) -> Step:
    return Step(unit, "working", seconds, "the certificate waits", notes)


def test_in_a_log_a_note_is_a_line_of_its_own_and_comes_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress.live(("front", "edge"), quiet=False) as tell:
        for seconds in (0, 11, 22):
            tell(waits("front", seconds))
            tell(waits("edge", seconds))
        tell(waits("front", 33, (Note("another"),)))

    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "note" in line] == [f"    note  {LINE}", "    note  another"]
    assert sum(line.startswith(" working") for line in lines) == 5
    assert not [line for line in lines if VALUE in line and "working" in line]


def test_quiet_tells_what_somebody_must_do_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress.live(("front",), quiet=True) as tell:
        tell(Step("", "note", detail="the region is small"))
        tell(waits())
        tell(waits(seconds=20))
        tell(Step("front", "done", 30))

    assert capsys.readouterr() == ("", f"note: {LINE}\n")


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch, width: int, height: int) -> Iterator[io.StringIO]:
    screen = io.StringIO()
    made = Console(
        file=screen, force_terminal=True, width=width, height=height, color_system=None, _environ={}
    )
    monkeypatch.setattr(render, "console", lambda: made)
    monkeypatch.setattr(render, "interactive", lambda: True)
    yield screen


def drawn(screen: io.StringIO) -> str:
    """What is drawn now: what came after the last erased line."""
    return screen.getvalue().rpartition("\x1b[2K")[2]


@pytest.mark.parametrize("width", [60, 120])
def test_on_a_terminal_it_stays_below_the_tree_with_nothing_cut(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        terminal(monkeypatch, width, 30) as screen,
        progress.live(("front", "edge"), quiet=False) as tell,
    ):
        tell(waits("front"))
        tell(waits("edge"))
        shown = drawn(screen).rpartition("units left")[2]

        assert VALUE in shown.replace("\n", "")
        assert [line.split() for line in shown.splitlines()[2:4]] == [
            ["name", "_a1.news.example"],
            ["type", "CNAME"],
        ]
        assert shown.count(SENTENCE) == 1, "two stacks wait for the same"
        tell(Step("front", "done", 30))
        assert SENTENCE in drawn(screen)
        tell(Step("edge", "done", 30))
        assert SENTENCE not in drawn(screen)


def test_who_gives_up_waiting_keeps_it_to_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        terminal(monkeypatch, 60, 30) as screen,
        pytest.raises(KeyboardInterrupt),
        progress.live(("front",), quiet=False) as tell,
    ):
        tell(waits())
        raise KeyboardInterrupt

    assert f"value  {VALUE}\n" in screen.getvalue(), "the terminal breaks the line, we do not"


def test_what_holds_no_more_is_not_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        terminal(monkeypatch, 60, 30) as screen,
        progress.live(("front",), quiet=False) as tell,
    ):
        tell(waits())
        tell(Step("front", "done", 30))

    assert f"value  {VALUE}\n" not in screen.getvalue()


def test_notes_that_a_low_terminal_has_no_room_for_are_printed_above_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = tuple(Note(SENTENCE, (("value", f"{n}{VALUE}"),)) for n in range(9))
    with (
        terminal(monkeypatch, 60, 14) as screen,
        progress.live(("front",), quiet=False) as tell,
    ):
        for seconds in range(3):
            tell(waits(seconds=seconds, notes=many))

    whole = [screen.getvalue().count(f"value  {n}{VALUE}\n") for n in range(9)]
    assert whole == [1] * 9
