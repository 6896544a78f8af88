"""The edge: TLS, the firewall and the content cache, as a visitor meets them."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.targets.local import visitor, whole
from tests.targets.local.by_hand import eventually
from tests.targets.local.visitor import ask
from tests.targets.local.whole import Environment

from cordillera.components.edge import EdgeSpec
from cordillera.components.firewall import ExceptionSpec, FirewallSpec, RateSpec
from cordillera.components.service import HealthSpec, ScaleSpec, ServiceSpec
from cordillera.components.wanted import Wanted
from cordillera.targets.local import certificate

pytestmark = pytest.mark.slow
ATTACKS = {
    "a script in a query": "/?q=%3Cscript%3Ealert(1)%3C/script%3E",
    "SQL in a query": "/?id=1%27%20OR%20%271%27=%271%27%20UNION%20SELECT%20password%20FROM%20users--",
    "a file of the system": "/?file=../../../../etc/passwd",
    "a shell command": "/?x=;cat%20/etc/passwd",
}
BODIES = {
    "a form": (b"a=%s", {"Content-Type": "application/x-www-form-urlencoded"}),
    "JSON": (b'{"a": "%s"}', {"Content-Type": "application/json"}),
    "of no kind": (b"a=%s", {}),
}
EDGE = EdgeSpec(cache=["/kept/*"])


@pytest.fixture(scope="module")
def shop() -> Iterator[Environment]:
    """edge/test, up."""
    with pytest.MonkeyPatch.context() as patch, whole.home() as home:
        patch.setenv("CORDILLERA_HOME", str(home))
        with whole.environment(_wanted(visitor.app(home)), home) as made:
            yield made


def _wanted(folder: Path) -> Wanted:
    web = ServiceSpec(
        command="exec python3 app.py",
        public=True,
        health=HealthSpec(path="/healthz"),
        scale=ScaleSpec(min=2, max=2),
    )
    return Wanted(
        app="shop", environment="edge/test", folder=folder, services={"web": web}, edge=EDGE
    )


def with_firewall(shop: Environment, **firewall: object) -> list[str]:
    """Change the firewall and bring it up; what was changed."""
    spec = FirewallSpec.model_validate(firewall)
    shop.want = replace(shop.want, edge=EDGE.model_copy(update={"firewall": spec}))
    return shop.up()


def test_ordinary_requests_pass(shop: Environment) -> None:
    assert ask(shop, "/?q=a+small+observatory").status == 200
    assert ask(shop, "/", body=b"x" * 1000).text == "1000"


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_blocked(shop: Environment, attack: str) -> None:
    assert ask(shop, ATTACKS[attack]).status == 403


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_is_looked_at_and_limited_also_when_it_does_not_say_what_it_is(
    shop: Environment, kind: str
) -> None:
    form, headers = BODIES[kind]

    assert ask(shop, "/", body=form % (b"x" * 100), headers=headers).status == 200
    assert ask(shop, "/", body=form % b"<script>alert(1)</script>", headers=headers).status == 403
    assert ask(shop, "/", body=form % (b"x" * 140_000), headers=headers).status == 413


def test_what_may_be_kept_is_answered_by_the_edge(shop: Environment) -> None:
    answers = {ask(shop, "/kept/a").text for _ in range(12)}

    assert len(answers) <= 2  # each zone keeps its own
    assert len({ask(shop, f"/kept/{i}").text for i in range(4)}) > 1


def test_an_answer_with_a_cookie_is_kept_for_nobody(shop: Environment) -> None:
    answers = [ask(shop, "/kept/b?cookie") for _ in range(6)]

    assert len({a.text for a in answers}) > 2


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_only_new_tls_is_spoken_and_http_2(shop: Environment) -> None:
    host, _, port = shop.site.listen.rpartition(":")
    context = visitor.trust(shop)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((host, int(port)), 5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        assert secure.version() in ("TLSv1.2", "TLSv1.3")
        assert secure.selected_alpn_protocol() == "h2"
    old = visitor.trust(shop)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = (
        ssl.TLSVersion.MINIMUM_SUPPORTED,
        ssl.TLSVersion.TLSv1_1,
    )
    with socket.create_connection((host, int(port)), 5) as plain, pytest.raises(OSError):
        old.wrap_socket(plain, server_hostname="localhost")


def test_the_certificate_is_the_environments_own_and_is_renewed_before_its_end(
    shop: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = shop.state().certificate_days_left
    assert days is not None
    assert 89 < days <= 90
    assert shop.up() == []
    monkeypatch.setattr(certificate, "RENEW_BEFORE_DAYS", 100)

    assert set(shop.up()) == {"certificate/server", "certificate/inside"}

    monkeypatch.undo()
    eventually(lambda: (shop.state().certificate_days_left or 0) > days, "the new one is shown")
    assert ask(shop, "/").status == 200


def test_an_exception_leaves_one_path_alone(shop: Environment) -> None:
    attack = ATTACKS["a script in a query"]
    why = ExceptionSpec(path="/", rules=[941100, 941110, 941160], why="a test of exceptions")

    with_firewall(shop, exceptions=[why])

    eventually(lambda: {ask(shop, attack).status for _ in range(4)} == {200}, "it passes")
    assert ask(shop, ATTACKS["a file of the system"]).status == 403


def test_a_firewall_that_only_counts_lets_pass_and_writes_down(shop: Environment) -> None:
    with_firewall(shop, mode="count")
    logs = [zone.state / "nginx/firewall-audit.log" for zone in shop.site.zones]
    before = sum(log.stat().st_size for log in logs)

    attack = ATTACKS["a shell command"]
    eventually(lambda: {ask(shop, attack).status for _ in range(4)} == {200}, "it passes")
    assert sum(log.stat().st_size for log in logs) > before


def test_a_network_that_is_denied_does_not_get_in(shop: Environment) -> None:
    with_firewall(shop, deny=["127.0.0.0/8"])

    eventually(lambda: {ask(shop, "/").status for _ in range(4)} == {403}, "kept out")


def test_more_requests_than_the_rate_are_refused(shop: Environment) -> None:
    with_firewall(shop, rate=RateSpec(requests=20, per=60))

    eventually(lambda: ask(shop, "/").status == 200, "let in again")
    assert 429 in [ask(shop, "/").status for _ in range(60)]
