"""Second copies being made, in a thread: a zone that is lost meanwhile must be seen at once."""

from threading import Thread

from cordillera.core.errors import CordilleraError
from cordillera.targets.local._keeper.stores import FILL, Stores, lonely


class Filling:
    """Begun when it is made. `revision` is that of the votes' wish that it fulfils."""

    def __init__(self, stores: Stores, revision: int) -> None:
        self.revision, self.failure = revision, ""
        self._stores = stores
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return not self._thread.is_alive()

    def wait(self) -> None:
        """Until it has ended."""
        self._thread.join()

    def _run(self) -> None:
        """What the shell calls done is looked at: every volume must lie in every zone."""
        try:
            self._stores.shell(*FILL)
        except CordilleraError as e:
            self.failure = str(e)
            return
        held = self._stores.held()
        left = lonely(held)
        if not all(held):
            self.failure = "a store does not say what it holds"
        elif left:
            self.failure = f"volumes {sorted(left)} lie in one zone only"
