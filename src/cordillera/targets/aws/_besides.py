"""What components do and say while a stack is being changed: asked now and then, not at every turn."""

from dataclasses import dataclass

from cordillera.components.protocol import Progress
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import components
from cordillera.targets.aws._cloudformation import Stack
from cordillera.targets.aws._live import Live

EVERY_S = 15.0


@dataclass
class Besides:
    """One stack that is waited for. What was said last holds until they are asked again."""

    unit: str
    want: Wanted
    live: Live
    _next_s: float = 0.0
    _said: tuple[Progress, ...] = ()

    def beside(self, text: str, stack: Stack, *, now_s: float) -> Progress:
        """What the stack waits for, then `text`; only `text` while it is rolled back or deleted."""
        if not stack.being_made:
            self._said = ()
        elif now_s >= self._next_s:
            self._next_s = now_s + EVERY_S
            found = (c.meanwhile(self.unit, self.want, self.live) for c in components.everything())
            self._said = tuple(said for said in found if said is not None)
        return self.still(text)

    def still(self, text: str) -> Progress:
        """The same without asking anybody."""
        details = [*(said.detail for said in self._said), text]
        notes = tuple(note for said in self._said for note in said.notes)
        return Progress(done=False, detail="\n".join(filter(None, details)), notes=notes)
