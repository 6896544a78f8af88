"""An attack behind so many arguments that nobody looks at it."""

import json

import pytest

from tests.attacks.edge import SCRIPT, get, reached
from tests.targets.local.whole import Environment

pytestmark = pytest.mark.slow
LIMIT = 999
FORM = "application/x-www-form-urlencoded"
ATTACK = "<script>alert(1)</script>"


def form(count: int, last: str) -> str:
    return "&".join([*(["a=1"] * (count - 1)), f"z={last}"])


def multipart(count: int, last: str) -> bytes:
    values = ["1"] * (count - 1) + [last]
    part = '--limit\r\nContent-Disposition: form-data; name="a"\r\n\r\n{}\r\n'
    return ("".join(part.format(value) for value in values) + "--limit--\r\n").encode()


def send(doors: Environment, place: str, count: int, *, last: str, mark: str) -> int:
    """The answer to a request with that many arguments."""
    if place == "query":
        return get(doors, f"/{mark}?{form(count, SCRIPT if last == ATTACK else last)}")[0]
    if place == "both":
        half = count // 2
        target = f"/{mark}?{form(half, '1')}"
        body = form(count - half, SCRIPT if last == ATTACK else last).encode()
        return get(doors, target, f"Content-Type: {FORM}", method="POST", body=body)[0]
    kinds = {
        "form": (FORM, form(count, SCRIPT if last == ATTACK else last).encode()),
        "json": ("application/json", json.dumps(["1"] * (count - 1) + [last]).encode()),
        "multipart": ("multipart/form-data; boundary=limit", multipart(count, last)),
    }
    kind, body = kinds[place]
    return get(doors, f"/{mark}", f"Content-Type: {kind}", method="POST", body=body)[0]


@pytest.mark.parametrize("place", ["query", "form", "both", "json", "multipart"])
def test_what_nobody_looks_at_does_not_pass(doors: Environment, place: str) -> None:
    for count in (LIMIT, LIMIT + 1, LIMIT + 500):
        mark = f"last-{place}-{count}-"
        status = send(doors, place, count, last=ATTACK, mark=mark)
        assert not reached(doors, mark), f"{count} arguments: {status}"
        assert status in (400, 403)


@pytest.mark.parametrize("place", ["query", "form", "json", "multipart"])
def test_as_many_as_the_limit_pass_and_one_more_is_refused(doors: Environment, place: str) -> None:
    assert send(doors, place, LIMIT, last="1", mark=f"many-{place}") == 200
    assert send(doors, place, LIMIT + 1, last="1", mark=f"more-{place}") == 400
