"""Paths that nginx, the firewall and the app would each read in another way."""

import pytest

from tests.attacks.edge import SCRIPT, get, reached, told
from tests.targets.local.whole import Environment

pytestmark = pytest.mark.slow
REFUSED = {
    "dots": "/x1/../kept/a",
    "dots at the end": "/kept/x2/..",
    "one dot": "/kept/./x3",
    "encoded dots": "/kept/%2e%2E/x4",
    "half encoded dots": "/kept/.%2e/x5",
    "an encoded slash": "/x6%2fkept/a",
    "dots and an encoded slash": "/admin/..%2Fkept/x7",
    "a backslash": "/kept\\..\\x8",
    "an encoded backslash": "/kept/..%5cx9",
    "dots behind a semicolon": "/kept/..;/x10",
    "dots behind an encoded semicolon": "/kept/..%3b/x11",
    "a zero byte": "/x12%00/../kept/a",
    "a line": "/x13%0d%0aX:%20y",
    "twice encoded": "/kept/%252e%252e%252fx14",
    "an overlong slash": "/kept/..%c0%afx15",
    "no encoding": "/x16%zz",
    "half an encoding": "/x17%2",
}
BROUGHT_INTO_ONE_SPELLING = {
    "/%6bept/n1": "/kept/n1",
    "//kept///n2": "/kept/n2",
    "/a%2db/n3": "/a-b/n3",
    "/n4#/../x": "/n4",
    "/caf%c3%a9/n5": "/caf%c3%a9/n5",
    "/n6;jsessionid=1?q=a%2fb": "/n6;jsessionid=1?q=a%2fb",
    "/...n7/.well-known": "/...n7/.well-known",
}
ATTACK = f"q={SCRIPT}"


@pytest.mark.parametrize("kind", REFUSED)
def test_a_path_that_can_be_read_in_two_ways_reaches_nobody(doors: Environment, kind: str) -> None:
    path, mark = REFUSED[kind], f"odd-{kind.replace(' ', '-')}"

    status, _ = get(doors, f"{path}?{mark}")

    assert not reached(doors, mark)
    assert status == 400


@pytest.mark.parametrize("path", BROUGHT_INTO_ONE_SPELLING)
def test_everybody_gets_the_same_spelling(doors: Environment, path: str) -> None:
    status, text = get(doors, path)

    if "#" in path:  # no visitor's program sends one
        assert status in (200, 400)
        return
    assert status == 200
    assert told(text)["path"] == BROUGHT_INTO_ONE_SPELLING[path]


@pytest.mark.parametrize("begin", ["/admin/..%2fkept/", "/admin/%2e%2e/kept/", "//kept/../"])
def test_no_attack_borrows_the_paths_that_have_no_firewall(doors: Environment, begin: str) -> None:
    status, _ = get(doors, f"{begin}borrowed?{ATTACK}")

    assert not reached(doors, "borrowed")
    assert status in (400, 403)


@pytest.mark.parametrize("begin", ["/editor/..%2f", "/editor/../", "/editor%2f", "/editor/..;/"])
def test_no_attack_borrows_an_exception(doors: Environment, begin: str) -> None:
    assert get(doors, f"/editor/own?{ATTACK}")[0] == 200
    status, _ = get(doors, f"{begin}lent?{ATTACK}")

    assert not reached(doors, "lent")
    assert status in (400, 403)
