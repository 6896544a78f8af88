"""One visitor's upload, and how long the others wait beside it."""

import os
import time
from threading import Event, Thread

import pytest

from cordillera.targets.local import _nginx
from tests.attacks.edge import SCRIPT, get, reached
from tests.targets.local.whole import Environment

pytestmark = pytest.mark.slow
GIB = 2**30
MEGABYTES, PATIENCE_S, ROUNDS = 30, 0.5, 3
FORM = "Content-Type: multipart/form-data; boundary=files"
PART = '--files\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'


def form(name: str, field: str, content: bytes) -> bytes:
    """A form with a field and a file of that name."""
    head = PART.format("note", "") + field + "\r\n" + PART.format("file", f'; filename="{name}"')
    return head.encode() + content + b"\r\n--files--\r\n"


@pytest.mark.parametrize(
    ("cores", "memory", "found"), [(1, GIB, 2), (2, 8 * GIB, 2), (6, 2 * GIB, 4), (64, 64 * GIB, 8)]
)
def test_workers_follow_cores_and_memory(cores: int, memory: int, found: int) -> None:
    assert _nginx.workers(cores, memory) == found


def longest_get(doors: Environment, body: bytes) -> float:
    """The longest that somebody else's GET took, in seconds, while that form was sent."""
    took: list[float] = []
    over = Event()

    def others() -> None:
        while not over.is_set():
            began = time.monotonic()
            assert get(doors, "/beside")[0] == 200
            took.append(time.monotonic() - began)

    beside = Thread(target=others)
    beside.start()
    try:
        assert get(doors, "/upload", FORM, method="POST", body=body)[0] == 200
    finally:
        over.set()
        beside.join()
    return max(took)


def test_beside_an_upload_nobody_waits(doors: Environment) -> None:
    body = form("film.bin", "hello", os.urandom(MEGABYTES * 2**20))

    longest = [longest_get(doors, body) for _ in range(ROUNDS)]

    assert min(longest) < PATIENCE_S, longest  # others use this machine too


def test_beside_a_large_file_the_form_is_still_looked_at(doors: Environment) -> None:
    large = os.urandom(2**20)
    for number, body in enumerate(
        (
            form("film.bin", "<script>alert(1)</script>", large),
            form("film.php", "hello", large),
        )
    ):
        mark = f"large-{number}-"
        status, _ = get(doors, f"/{mark}", FORM, method="POST", body=body)
        assert (status, reached(doors, mark)) == (403, [])
    assert (
        get(doors, f"/large-query?q={SCRIPT}", FORM, method="POST", body=form("a", "b", large))[0]
        == 403
    )


def test_what_is_no_file_is_limited_whatever_it_says_it_is(doors: Environment) -> None:
    for kind in ("text/plain", "application/graphql", "application/x-www-form-urlencoded"):
        assert (
            get(doors, "/fat", f"Content-Type: {kind}", method="POST", body=b"a" * 140_000)[0]
            == 413
        )
