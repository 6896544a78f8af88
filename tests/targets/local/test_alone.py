"""Whether a cache's master may write alone: its keeper asks the Sentinels, which may hold another for it."""

import socketserver
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread

from cordillera.targets.local._keeper.caches import (
    Cache,
    caught_up,
    held_for_master,
    must_hold,
    needed,
)

HERE, OTHER = "10.1.10.2", "10.1.20.2"
STOPS_WITHIN_S = 0.01
MASTER, REPLICA = {"role": "master"}, {"role": "slave"}


@contextmanager
def sentinel(master: str) -> Iterator[tuple[str, int]]:
    """A Sentinel that holds `master` for the master, whatever it is asked."""

    class Answers(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while head := self.rfile.readline():
                words = []
                for _ in range(int(head[1:])):
                    length = int(self.rfile.readline()[1:])
                    words.append(self.rfile.read(length + 2)[:-2].decode())
                held = f"*2\r\n${len(master)}\r\n{master}\r\n$4\r\n6381\r\n"
                self.wfile.write(b"+OK\r\n" if words[0] == "AUTH" else held.encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(STOPS_WITHIN_S,), daemon=True).start()
        yield "127.0.0.1", server.server_address[1]
        server.shutdown()


def held(*masters: str) -> bool:
    """What the keeper at HERE finds when the Sentinels say that; an empty one is silent."""
    with ExitStack() as stack:
        told = [stack.enter_context(sentinel(m)) if m else ("127.0.0.1", 1) for m in masters]
        return held_for_master(Cache("cache", "", "", HERE, tuple(told), "secret", False, ""))


def test_most_sentinels_must_hold_it_for_the_master() -> None:
    assert held(HERE, HERE, OTHER)
    assert held(HERE, HERE, "")
    assert not held(HERE, OTHER, OTHER)  # it was frozen: its own does not know yet
    assert not held(HERE, "", "")


def test_a_master_without_a_replica_writes_alone_only_with_a_majority() -> None:
    assert needed(MASTER, 60.0, majority=True) == 0
    assert needed(MASTER, 60.0, majority=False) == 1
    assert needed(MASTER, 0.5, majority=True) == 1
    assert needed(REPLICA, 60.0, majority=True) == 1


def test_writes_wait_while_redis_would_still_take_what_no_replica_gets() -> None:
    near = {**MASTER, "min_slaves_good_slaves": "1"}
    assert must_hold(near, heard=False, needed=1)
    assert not must_hold(near, heard=True, needed=1)
    assert not must_hold(
        {**MASTER, "min_slaves_good_slaves": "0"}, heard=False, needed=1
    )  # it refuses
    assert not must_hold(MASTER, heard=False, needed=0)  # a majority lets it go on alone
    assert not must_hold(REPLICA, heard=False, needed=1)


def test_a_replica_has_caught_up_when_it_says_that_it_has_everything() -> None:
    row = "ip=10.1.20.2,port=6380,state={},offset={},lag=0"
    end = {**MASTER, "master_repl_offset": "90"}
    assert caught_up({**end, "slave0": row.format("online", 90)})
    assert not caught_up({**end, "slave0": row.format("online", 89)})
    assert not caught_up({**end, "slave0": row.format("wait_bgsave", 90)})
    assert not caught_up(end)
