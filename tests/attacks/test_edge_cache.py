"""One visitor's words in an answer that is kept for all."""

import pytest

from tests.attacks.edge import get, told
from tests.targets.local.whole import Environment

pytestmark = pytest.mark.slow
POISON = (
    "X-Forwarded-Host: poison", "X-Forwarded-Scheme: poison", "X-Host: poison", "X-Anything: poison",
    "Accept-Language: poison", "Accept: poison/poison", "User-Agent: poison", "Origin: https://poison",
    "Referer: https://poison", "Cookie: a=poison", "Authorization: Basic poison", "If-None-Match: poison",
    "X-HTTP-Method-Override: poison", "Pragma: poison", "X-Wap-Profile: poison", "Via: poison",
)  # fmt: skip


@pytest.mark.parametrize("poison", POISON)
def test_nothing_that_is_not_in_the_key_reaches_the_app(doors: Environment, poison: str) -> None:
    path = f"/kept/{poison.partition(':')[0]}"
    status, text = get(doors, path, poison)

    assert status == 200
    assert "poison" not in text
    assert all("poison" not in get(doors, path)[1] for _ in range(4))


def test_a_part_or_a_body_is_not_asked_of_the_app(doors: Environment) -> None:
    _, text = get(doors, "/kept/range", "Range: bytes=1000000-")
    assert "range" not in told(get(doors, "/kept/range")[1])["headers"], text
    kind = "Content-Type: application/x-www-form-urlencoded"
    status, text = get(doors, "/kept/fat", kind, body=b"q=poison")
    assert status == 200
    assert told(text)["body"] == 0


def test_spellings_are_kept_apart_and_the_host_is_in_the_key(doors: Environment) -> None:
    path = "/kept/host"
    hosts = {told(get(doors, path, host=host)[1])["headers"]["host"] for host in
             ("shop.example", "one.shops.example", "shop.example")}  # fmt: skip
    assert hosts == {"shop.example", "one.shops.example"}

    plain = told(get(doors, "/kept/encoding")[1])["headers"]
    packed = told(get(doors, "/kept/encoding", "Accept-Encoding: br;q=1, gzip")[1])["headers"]
    assert "accept-encoding" not in plain
    assert packed["accept-encoding"] == "gzip"


def test_only_reading_is_answered_on_a_kept_path(doors: Environment) -> None:
    assert get(doors, "/kept/written", method="POST", body=b"a=1")[0] == 403
