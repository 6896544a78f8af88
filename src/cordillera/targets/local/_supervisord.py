"""supervisord, without a loop that may take a whole core.

Its poller keeps a descriptor that was closed and handed out again in the same turn. When the new owner
is the writing end of a pipe whose reader went away, every poll returns at once with POLLERR, which
Supervisor 4.3 neither handles nor forgets (its issue 807 has the same cause).
Run as `python -I _supervisord.py -n -c CONFIG`: by its path, it loads nothing else of ours.
"""

import select

from supervisor import poller, supervisord


class Poller(poller.PollPoller):  # type: ignore[misc]
    """Forgets descriptors that report nothing but an error; one still in use is registered again."""

    def poll(self, timeout: float) -> tuple[list[int], list[int]]:
        """Descriptors to read from, and to write to, after at most `timeout` seconds."""
        readable, writable = [], []
        for fd, events in self._poll_fds(timeout):
            if not events & (self.READ | self.WRITE):
                self._forget(fd)
            if events & self.READ:
                readable.append(fd)
            if events & self.WRITE:
                writable.append(fd)
        return readable, writable

    def _forget(self, fd: int) -> None:
        self._poller.unregister(fd)
        self.readables.discard(fd)
        self.writables.discard(fd)


def main() -> None:
    """supervisord's own main program, with our poller where the system has poll()."""
    if hasattr(select, "poll"):
        poller.Poller = Poller
    supervisord.main()


if __name__ == "__main__":
    main()
