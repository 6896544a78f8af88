"""The mail relay of aws as its copies run it: real Postfix, two queues on one disk, two providers."""

import os
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import pytest

from cordillera.components.mail import MailSpec
from cordillera.core.errors import ManifestError
from cordillera.core.process import is_root
from cordillera.targets.aws import _mail_relay
from cordillera.targets.aws._site import site_of
from tests.targets.aws import examples
from tests.targets.aws.emulator import free_port
from tests.targets.local import standin, whole
from tests.targets.local.by_hand import eventually

RELAY = "mail-relay"
MACHINE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
"""A copy's own numbering of processes: all of them end with the first."""

needs_root = pytest.mark.skipif(not is_root(), reason="Postfix starts as root only")


@dataclass
class Relays:
    """Copies of the relay on this machine, told what ECS would tell them but for ports and providers."""

    folder: Path
    told: dict[str, str]
    copies: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    providers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    at: dict[str, int] = field(default_factory=lambda: {"one": free_port(), "two": free_port()})

    def start(self, name: str) -> None:
        """Another copy; it listens once it has a queue."""
        port = self.ports[name] = free_port()
        listens = self.told["MASTER_CF"].replace("0.0.0.0:2525", f"127.0.0.1:{port}")
        variables = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            **self.told,
            "MASTER_CF": listens,
            "QUEUES": str(self.folder / "queues"),
            "RUN": str(self.folder / name),
        }
        script = str(_mail_relay.FOLDER / "relay.sh")
        with (self.folder / f"{name}.log").open("wb") as log:
            self.copies[name] = subprocess.Popen(
                [*MACHINE, "/bin/sh", script], env=variables, stdout=log, stderr=log
            )

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def ask_to_end(self, name: str) -> int:
        """SIGTERM, as ECS sends it; how the copy ended."""
        copy = self.copies.pop(name)
        found = subprocess.run(["pgrep", "-P", str(copy.pid)], capture_output=True, check=True)
        os.kill(int(found.stdout), signal.SIGTERM)
        return copy.wait(20)

    def lose(self, name: str) -> None:
        """kill -9 of all that is in a copy, as when its machine is lost."""
        copy = self.copies.pop(name)
        copy.kill()
        copy.wait()

    def provider(self, name: str) -> None:
        """A provider that takes mails of those who know its password."""
        argv = [sys.executable, standin.__file__, "127.0.0.1", str(self.at[name])]
        self.providers[name] = subprocess.Popen(
            [*argv, str(self.folder / name) + ".mails", "me", f"{name}-password"]
        )
        eventually(lambda: is_open(self.at[name]), f"provider {name} listens")

    def stop_provider(self, name: str) -> None:
        gone = self.providers.pop(name)
        gone.kill()
        gone.wait()

    def took(self, name: str) -> list[str]:
        path = self.folder / f"{name}.mails"
        return path.read_text().splitlines() if path.exists() else []

    def send(self, name: str, subject: str) -> None:
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = subject, "news@acme.example", "a@b.example"
        mail.set_content("text")
        with smtplib.SMTP("127.0.0.1", self.ports[name]) as link:
            link.send_message(mail)

    def end(self) -> None:
        for name in list(self.copies):
            self.lose(name)
        for name in list(self.providers):
            self.stop_provider(name)


def is_open(port: int) -> bool:
    with socket.socket() as link:
        return link.connect_ex(("127.0.0.1", port)) == 0


def told(tmp_path: Path, relays: Relays | None = None) -> dict[str, str]:
    """Variables of the relay; with the providers of `relays` when given, else as in AWS."""
    mail = dict(examples.TWO_PROVIDERS)
    if relays:
        mail["providers"] = [
            {"name": name, "host": "127.0.0.1", "port": port, "username": "me",
             "password": f"{name.upper()}_PASSWORD", "tls": False}
            for name, port in relays.at.items()
        ]  # fmt: skip
    want = examples.wanted("newsroom", tmp_path, resources={"mail": mail})
    values = _mail_relay.variables(RELAY, want, site_of(want))
    return {key: value for key, value in values.items() if isinstance(value, str)}


@pytest.fixture
def relays(tmp_path: Path) -> Iterator[Relays]:
    with whole.home() as folder:  # Postfix's own user must be able to get there
        made = Relays(folder, {})
        made.told = told(tmp_path, made)
        made.told |= {f"{name.upper()}_PASSWORD": f"{name}-password" for name in made.at}
        try:
            yield made
        finally:
            made.end()


def test_the_relay_is_a_service_with_as_many_queues_as_copies(tmp_path: Path) -> None:
    want = examples.wanted("newsroom", tmp_path, resources={"mail": examples.TWO_PROVIDERS})

    spec = want.services[RELAY]
    assert (spec.scale.min, spec.scale.max) == (2, 2)
    assert told(tmp_path / "again")["QUEUE_COUNT"] == "2"
    assert _mail_relay.with_relays(want) == want


def test_copies_of_the_relay_are_not_moved_between_zones(tmp_path: Path) -> None:
    made = examples.templates("newsroom", tmp_path, resources={"mail": examples.TWO_PROVIDERS})
    services = {
        id: one["Properties"]
        for id, one in made["app"].body["Resources"].items()
        if one["Type"] == "AWS::ECS::Service"
    }

    most = {id: s["DeploymentConfiguration"]["MaximumPercent"] for id, s in services.items()}
    moved = {id: s["AvailabilityZoneRebalancing"] for id, s in services.items()}
    assert moved["MailRelayService"] == "DISABLED"
    # ECS refuses to move copies where there may never be one too many.
    assert {id for id in services if most[id] > 100} == {
        id for id in services if moved[id] == "ENABLED"
    }


def test_ses_alone_needs_no_relay(tmp_path: Path) -> None:
    want = examples.wanted("newsroom", tmp_path)

    assert RELAY not in want.services


def test_a_service_of_the_same_name_is_refused(tmp_path: Path) -> None:
    service = {"image": "nginx:1", "health": "/"}

    with pytest.raises(ManifestError, match="a service is called mail-relay"):
        examples.wanted(
            "newsroom", tmp_path,
            services={RELAY: service}, resources={"mail": examples.TWO_PROVIDERS},
        )  # fmt: skip


def test_providers_are_tried_in_order_over_tls(tmp_path: Path) -> None:
    found = told(tmp_path)

    assert "relayhost = [email-smtp.us-east-1.amazonaws.com]:587\n" in found["MAIN_CF"]
    assert "smtp_fallback_relay = [smtp.sendgrid.net]:587\n" in found["MAIN_CF"]
    assert "[smtp.sendgrid.net]:587 secure match=smtp.sendgrid.net\n" in found["TLS_POLICIES"]
    assert found["WAYS"].splitlines()[1] == (
        "[smtp.sendgrid.net]:587 SENDGRID_USER SENDGRID_PASSWORD"
    )
    assert MailSpec.model_validate({"type": "mail", **examples.TWO_PROVIDERS}).providers[1].tls


@needs_root
@pytest.mark.slow
def test_the_next_provider_takes_over_and_a_lost_copys_mails_are_sent_by_the_next(
    relays: Relays,
) -> None:
    relays.provider("one")
    relays.start("a")
    eventually(lambda: is_open(relays.ports["a"]), "copy a listens")
    relays.start("b")
    eventually(lambda: is_open(relays.ports["b"]), "copy b listens")
    assert "sends from queue 0 of 2" in relays.log("a")
    assert "sends from queue 1 of 2" in relays.log("b")
    relays.start("c")
    relays.send("a", "first")
    eventually(lambda: relays.took("one") == ["transactional first"], "the first provider takes it")

    relays.stop_provider("one")
    for number in range(5):
        relays.send("a", f"kept {number}")
    assert not is_open(relays.ports["c"])  # there are two queues, and both are held
    relays.lose("a")

    relays.provider("two")
    eventually(lambda: "sends from queue 0 of 2" in relays.log("c"), "copy c takes the queue")
    wanted = sorted(f"transactional kept {number}" for number in range(5))
    eventually(lambda: sorted(relays.took("two")) == wanted, "the second provider has them all")


@needs_root
@pytest.mark.slow
def test_a_copy_that_is_asked_to_end_lets_go_of_its_queue(relays: Relays) -> None:
    relays.start("a")
    eventually(lambda: is_open(relays.ports["a"]), "copy a listens")

    assert relays.ask_to_end("a") == 0

    relays.start("b")
    eventually(lambda: "sends from queue 0 of 2" in relays.log("b"), "copy b takes the queue")
    assert "password" not in relays.log("b")


@needs_root
@pytest.mark.slow
def test_settings_with_passwords_are_read_by_nobody_else(relays: Relays) -> None:
    relays.start("a")
    eventually(lambda: is_open(relays.ports["a"]), "copy a listens")

    held = relays.folder / "a/etc/passwords"
    assert held.stat().st_mode & 0o077 == 0
    assert f"[127.0.0.1]:{relays.at['one']} me:one-password\n" in held.read_text()
    commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert "one-password" not in commands.stdout.replace(standin.__file__, "")
