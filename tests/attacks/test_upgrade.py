"""Another protocol than HTTP, in which nobody looks for attacks."""

import pytest

from tests.attacks.edge import get, raw, reached, told
from tests.targets.local.whole import Environment

pytestmark = pytest.mark.slow
TRICKS = {
    "h2c": ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQ"),
    "h2c without its settings": ("Connection: Upgrade", "Upgrade: h2c"),
    "a list": ("Connection: Upgrade", "Upgrade: websocket, h2c"),
    "two lines": ("Connection: Upgrade", "Upgrade: h2c", "Upgrade: foo"),
    "TLS": ("Connection: Upgrade", "Upgrade: TLS/1.0"),
    "another case": ("connection: upgrade", "upgrade: H2C"),
}
HOP_BY_HOP = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Request-ID", "Host")


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("path", ["/plain", "/kept/upgrade-"])
def test_no_other_protocol_is_passed_on(doors: Environment, trick: str, path: str) -> None:
    mark = f"upgrade-{trick.replace(' ', '-')}"
    status, text = get(doors, f"{path}?{mark}", *TRICKS[trick])

    if status == 400:  # half a WebSocket
        assert not reached(doors, mark)
        return
    assert status == 200
    headers = told(text)["headers"]
    assert "upgrade" not in headers
    assert "http2-settings" not in headers
    assert headers["connection"].lower() == "close"


def test_a_websocket_is_passed_on(doors: Environment) -> None:
    lines = (
        "GET /socket HTTP/1.1", "Host: localhost", "Connection: keep-alive, Upgrade",
        "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "ping",
    )  # fmt: skip
    assert raw(doors, "\r\n".join(lines).encode()) == (101, "PING")


def test_connection_takes_no_header_of_ours_away(doors: Environment) -> None:
    status, text = get(doors, "/hop", f"Connection: close, {', '.join(HOP_BY_HOP)}")

    assert status == 200
    found = told(text)["headers"]
    assert {name.lower() for name in HOP_BY_HOP} <= set(found)
    assert found["connection"].lower() == "close"
