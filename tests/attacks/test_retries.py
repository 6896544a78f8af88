"""How many times one request reaches an app that fails it."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from cordillera.targets.local import _found
from tests.attacks.edge import get, reached
from tests.targets.local.by_hand import eventually
from tests.targets.local.whole import Environment

pytestmark = pytest.mark.slow
BAD = {
    "closes without an answer": ("/close", 502),
    "never answers": ("/hang", 504),
    "answers 500": ("/status/500", 500),
    "answers 502": ("/status/502", 502),
    "answers 503": ("/status/503", 503),
    "answers 504": ("/status/504", 504),
    "answers what only we say": ("/status/598", 502),
}
AT_ONCE = 8


@pytest.mark.parametrize("how", BAD)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_reaches_an_app_once(doors: Environment, how: str, method: str) -> None:
    path, expected = BAD[how]
    mark = f"once-{method}-{how.replace(' ', '-')}"
    kind = ["Content-Type: application/x-www-form-urlencoded"] if method == "POST" else []

    status, _ = get(doors, f"{path}?{mark}", *kind, method=method, body=b"a=1" * len(kind))

    assert reached(doors, mark) == [method]
    assert status == expected


def copy(doors: Environment) -> int:
    """The process of a copy in zone b."""
    found = _found.leaders(_found.scan(doors.want.environment))
    name = next(key for key in found if key.startswith("service/web-") and key.endswith("-b1"))
    return found[name].pid


def lost(doors: Environment, method: str, mark: str, lose: Callable[[int], None]) -> list[int]:
    """The answers to requests that were under way when a copy was lost."""
    pid = copy(doors)
    kind = ["Content-Type: application/x-www-form-urlencoded"] if method == "POST" else []
    body = b"a=1" * len(kind)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = [
            pool.submit(get, doors, f"/sleep?{mark}-{n}-", *kind, method=method, body=body)
            for n in range(AT_ONCE)
        ]
        eventually(lambda: len(reached(doors, mark)) == AT_ONCE, "all are under way", within_s=10)
        lose(pid)
        answers = [one.result()[0] for one in asked]
    eventually(lambda: doors.state().healthy, "healthy again")
    return answers


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def test_a_get_whose_copy_is_killed_is_answered_by_another_one_after_one_repeat(
    doors: Environment,
) -> None:
    assert set(lost(doors, "GET", "killed-get", kill)) == {200}
    assert all(len(reached(doors, f"killed-get-{n}-")) <= 2 for n in range(AT_ONCE))


def test_a_post_whose_copy_is_killed_is_not_repeated(doors: Environment) -> None:
    answers = lost(doors, "POST", "killed-post", kill)

    assert set(answers) == {200, 502}
    assert all(len(reached(doors, f"killed-post-{n}-")) == 1 for n in range(AT_ONCE))
