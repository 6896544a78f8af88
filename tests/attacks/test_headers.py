"""What a visitor says about himself and about us: who he is, which host this is, what it is called."""

import socket

import pytest
from cryptography import x509

from cordillera.components.visitor import OWN_HEADERS
from tests.attacks.edge import SCRIPT, audited, get, told
from tests.targets.local import visitor
from tests.targets.local.whole import Environment

pytestmark = pytest.mark.slow
FORWARDED = ("For", "Host", "Port", "Proto", "Prefix", "Server", "Ssl", "Scheme", "User")
OTHERS = (
    "X-Original-URL",
    "X-Original-Host",
    "X-Accel-Mapping",
    "X-Cordillera-Again",
    "X_Forwarded_Host",
)
LIE = "192.0.2.66"
HOSTS = {
    "shop.example": 200,
    "SHOP.example:8443": 200,
    "one.shops.example": 200,
    "localhost": 200,
    "test.doors.localhost": 200,
    "127.0.0.1": 200,
    "shops.example": 421,
    "evil.example": 421,
    "shop.example.evil.example": 421,
    "evilshop.example": 421,
    "10.0.0.1": 421,
}


@pytest.mark.parametrize("path", ["/headers", "/kept/headers"])
def test_what_a_visitor_may_not_say_is_not_passed_on(doors: Environment, path: str) -> None:
    own = [name for name in OWN_HEADERS if name != "Proxy"]
    names = [*own, *OTHERS, *(f"X-Forwarded-{name}" for name in FORWARDED)]

    status, text = get(doors, path, *(f"{name}: {LIE}" for name in names))

    assert status == 200
    assert LIE not in text
    assert told(text)["headers"]["x-forwarded-proto"] == "https"
    if path == "/headers":
        assert told(text)["headers"]["x-forwarded-for"] == "127.0.0.1"


@pytest.mark.parametrize(
    "header",
    ["Proxy: http://192.0.2.66", "X-Forwarded-Host: ' or 1=1 --", "Client-IP: ../../etc/passwd"],
)
def test_no_plain_value_where_we_say_it_ourselves_is_refused(
    doors: Environment, header: str
) -> None:
    assert get(doors, "/headers", header)[0] == 400


@pytest.mark.parametrize("host", HOSTS)
def test_other_hosts_are_not_here(doors: Environment, host: str) -> None:
    assert get(doors, "/host", host=host)[0] == HOSTS[host]


def test_a_target_with_another_host_is_not_here(doors: Environment) -> None:
    for host in ("localhost", "evil.example"):
        assert get(doors, "http://evil.example/host", host=host)[0] in (400, 421)


def test_a_blocked_request_is_written_down_once_as_it_was_sent(doors: Environment) -> None:
    body = f"a={SCRIPT}".encode()
    kind = "Content-Type: application/x-www-form-urlencoded"

    answer = get(doors, "/written-down", kind, "X-Request-ID: mine", method="POST", body=body)

    assert answer[0] == 403
    assert "let through" in answer[1]
    (entry,) = audited(doors, "/written-down")
    assert entry["request"]["method"] == "POST"
    assert entry["response"]["http_code"] == 403
    assert entry["unique_id"] not in ("", "mine")
    rules = {message["details"]["ruleId"] for message in entry["messages"]}
    assert "941100" in rules
    assert "920170" not in rules


def test_the_page_of_a_blocked_request_is_in_the_visitors_language(doors: Environment) -> None:
    status, text = get(doors, f"/?q={SCRIPT}", "Accept-Language: es-ES,es;q=0.9")

    assert status == 403
    assert 'lang="es"' in text


def test_an_answer_of_the_app_stays_its_own(doors: Environment) -> None:
    for status in (400, 403, 413, 502, 503, 504):
        assert get(doors, f"/status/{status}") == (status, "as asked")


def test_the_certificate_names_no_address_inside(doors: Environment) -> None:
    host, _, port = doors.site.listen.rpartition(":")
    with (
        socket.create_connection((host, int(port)), 5) as plain,
        visitor.trust(doors).wrap_socket(plain, server_hostname="localhost") as line,
    ):
        shown = x509.load_der_x509_certificate(line.getpeercert(binary_form=True) or b"")
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    inside = {address for zone in doors.site.domains for address in (zone.private, zone.public)}
    assert not inside & {str(name.value) for name in names}
