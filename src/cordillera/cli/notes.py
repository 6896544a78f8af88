"""Notes of units while they hold: each told once, whole, whichever unit repeats it."""

from collections.abc import Iterable, Sequence
from typing import Any

from cordillera.components.protocol import Note
from cordillera.operations.provision import Step


class Board:
    """What is to be known now, and what was told already."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[Note, ...]] = {}
        self._told: set[Note] = set()
        self._left: set[Note] = set()

    @property
    def held(self) -> list[Note]:
        """Notes of all units as they are now, each once."""
        return list(dict.fromkeys(note for notes in self._of.values() for note in notes))

    def new(self, step: Step) -> list[Note]:
        """Take a unit's news; its notes that no unit had before."""
        self._of[step.unit] = step.notes
        found = [note for note in dict.fromkeys(step.notes) if note not in self._told]
        self._told.update(found)
        return found

    def fitting(self, console: Any, above: Sequence[Any]) -> tuple[list[Any], list[Note]]:
        """(renderables of the notes that a terminal has room for below `above`, the other notes)."""
        room = console.height - 1 - sum(_height(one, console) for one in above)
        shown, hidden = list[Any](), list[Note]()
        for note in self.held:
            text = whole(note)
            room -= _height(text, console)
            if room >= 0:
                shown.append(text)
            else:
                hidden.append(note)
        return shown, hidden

    def not_left(self, notes: Iterable[Note]) -> list[Any]:
        """Renderables of those that were not asked for here before: they stay where they are printed."""
        found = [note for note in notes if note not in self._left]
        self._left.update(found)
        return [whole(note) for note in found]


def whole(note: Note) -> Any:
    """A note with its parts below, a line each; a line that is too long goes on in the next."""
    from rich.text import Text

    width = max((len(name) for name, _ in note.parts), default=0)
    lines = [f"  {name:<{width}}  {value}" for name, value in note.parts]
    return Text("\n".join([f"  note: {note.text}", *lines]), style="yellow", overflow="fold")


def _height(one: Any, console: Any) -> int:
    return len(console.render_lines(one, pad=False))
