"""Mail on one machine: captured, queued, sent by one provider or the next, each stream at its rate."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.targets.local import standin, whole
from tests.targets.local.by_hand import eventually
from tests.targets.local.whole import Environment

from cordillera.components import mail_queue
from cordillera.components.mail import MailSpec
from cordillera.core.errors import CordilleraError, ManifestError
from cordillera.core.process import is_root
from cordillera.targets.local import _found, _intent, _mail_box, _mail_config, _net

needs_root = pytest.mark.skipif(not is_root(), reason="without root there is no Postfix")
LETTERS = """
import os, smtplib
from email.message import EmailMessage
from urllib.parse import urlsplit
def send(subjects, bulk=False):
    at = urlsplit(os.environ["SMTP_URL"])
    with smtplib.SMTP(at.hostname, at.port) as smtp:
        for subject in subjects:
            mail = EmailMessage()
            mail["Subject"], mail["From"], mail["To"] = subject, os.environ["MAIL_FROM"], "a@b.example"
            if bulk:
                mail["X-Cordillera-Stream"] = "bulk"
            mail.set_content("hóla")
            smtp.send_message(mail)
"""


def spec(**keys: object) -> MailSpec:
    return MailSpec.model_validate({"type": "mail", **keys})


def test_a_slow_stream_waits_whole_seconds_and_a_quick_one_is_paced() -> None:
    slow = spec(streams={"bulk": {"rate": "20/m"}})
    quick = spec(streams={"bulk": {"rate": "5/s"}})

    assert mail_queue.delay_s(slow.streams.bulk) == 3
    assert [h.paced_port for h in _mail_config.hops(slow, captured=True)] == [0, 0]
    assert [h.rate for h in _mail_config.hops(quick, captured=True)] == [0, 5]


def test_known_providers_have_their_servers() -> None:
    ways = _mail_config.hops(spec(providers=["ses", "sendgrid"]), captured=False)

    assert [(w.stream, w.provider.name) for w in ways] == [
        ("transactional", "ses"), ("transactional", "sendgrid"), ("bulk", "ses"), ("bulk", "sendgrid"),
    ]  # fmt: skip
    assert ways[0].next_hop == "[email-smtp.us-east-1.amazonaws.com]:587"


def test_an_unknown_provider_needs_a_host() -> None:
    with pytest.raises(ManifestError, match="carrier-pigeon has no host"):
        _mail_config.hops(spec(providers=["carrier-pigeon"]), captured=False)


@pytest.mark.slow
def test_captured_mails_are_listed_and_read(shop: Environment) -> None:
    shop.inside(LETTERS + 'send(["Ünïcode ✓"]); send([f"news {i}" for i in range(12)], bulk=True)')
    eventually(lambda: len(_mail_box.list_mails(shop.site)) == 13, "all captured")

    found = _mail_box.list_mails(shop.site)
    assert Counter(m.stream for m in found) == {"bulk": 12, "transactional": 1}
    one = next(m for m in found if m.stream == "transactional")
    assert (one.subject, one.recipients) == ("Ünïcode ✓", ("a@b.example",))
    assert "hóla" in _mail_box.read_mail(shop.site, one.id)
    with pytest.raises(CordilleraError):
        _mail_box.read_mail(shop.site, "nothing")
    # Ten a second at most: the last of twelve left a second after the first, the password reset did not wait.
    news = sorted(m.at for m in found if m.stream == "bulk")
    assert (news[-1] - news[0]).total_seconds() > 0.5
    assert one.at < news[-1]


class Providers:
    """Two stand-ins inside zone a."""

    def __init__(self, shop: Environment, folder: Path) -> None:
        self.shop, self.folder = shop, folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, port: int) -> None:
        zone = self.shop.site.zones[0]
        netns = _net.NETNS_FOLDER / self.shop.site.netns(zone, "private")
        argv = [
            "nsenter",
            f"--net={netns}",
            sys.executable,
            standin.__file__,
            zone.private,
            str(port),
        ]
        self.running[name] = subprocess.Popen(
            [*argv, str(self.folder / name), "me", f"{name}-password"]
        )

    def stop(self, name: str) -> None:
        if name in self.running:
            self.running[name].kill()
            self.running.pop(name).wait()

    def took(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[tuple[Environment, Providers]]:
    """An environment that sends by two providers, of which the test starts the stand-ins."""

    def provider(name: str, port: int) -> dict[str, object]:
        return {"name": name, "host": "a.post-test.internal", "port": port, "username": "me",
                "password": f"{name.upper()}_PASSWORD", "tls": False}  # fmt: skip

    ways = [provider("one", 2601), provider("two", 2602)]
    want = whole.wanted("post/test", {"mail": spec(capture=False, providers=ways)})
    with pytest.MonkeyPatch.context() as patch, whole.home() as home:
        patch.setenv("CORDILLERA_HOME", str(home))
        site = _intent.site_of(_intent.Intent("post/test", 0, "loopback", ""))
        site.state.mkdir(parents=True)
        site.vault.create()
        for name in ("one", "two"):
            site.vault.put(f"app/{name.upper()}_PASSWORD", f"{name}-password")
        with whole.environment(want, home) as made:
            providers = Providers(made, tmp_path)
            try:
                yield made, providers
            finally:
                for name in list(providers.running):
                    with suppress(OSError):
                        providers.stop(name)


@needs_root
@pytest.mark.slow
def test_the_next_provider_takes_over_and_nothing_is_lost_or_doubled(
    sender: tuple[Environment, Providers],
) -> None:
    shop, providers = sender
    providers.start("one", 2601)
    providers.start("two", 2602)
    _until_open(shop, 2601, 2602)

    shop.inside(LETTERS + 'send(["first"]); send(["news"], bulk=True)')
    eventually(lambda: len(providers.took("one")) == 2, "the first provider takes them")
    providers.stop("one")
    shop.inside(LETTERS + 'send(["second"])')
    eventually(lambda: providers.took("two") == ["transactional second"], "the second takes over")

    providers.stop("two")
    shop.inside(LETTERS + 'send(["third"])')
    _found.kill([f for f in _found.scan("post/test") if f.key == "mail/postfix@a"])
    eventually(lambda: shop.state().resources["mail"].healthy, "Postfix is back")
    assert any("1 waiting" in m.detail for m in shop.state().resources["mail"].members)
    providers.start("two", 2602)
    eventually(lambda: "transactional third" in providers.took("two"), "sent at last", within_s=120)

    assert sorted(providers.took("one")) == ["bulk news", "transactional first"]
    assert providers.took("two") == ["transactional second", "transactional third"]


def _until_open(shop: Environment, *ports: int) -> None:
    zone = shop.site.zones[0]

    def opened(port: int) -> bool:
        with suppress(OSError), _net.dial(shop.site, zone, zone.private, port, timeout_s=1):
            return True
        return False

    answers: list[Callable[[], bool]] = [lambda p=p: opened(p) for p in ports]  # type: ignore[misc]
    eventually(lambda: all(answer() for answer in answers), "the stand-ins listen")
