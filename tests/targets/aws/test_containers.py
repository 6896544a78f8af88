"""Containers for real on the emulated AWS: images built and pushed, run by ECS, `hello` behind the balancer.

Docker runs the containers; no real AWS was reachable when this was written.
"""

import contextlib
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _mail_relay, _push
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import site_of
from cordillera.targets.aws.service import CLUSTER, service
from tests.targets.aws import applied, cloud, emulator, examples
from tests.targets.aws.cloud import Cloud
from tests.targets.local import by_hand, standin

pytestmark = pytest.mark.slow
WITHIN_S = 90.0
SEND = r"""
import smtplib, sys
with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as link:
    link.sendmail("news@acme.example", ["a@b.example"], f"Subject: {sys.argv[2]}\r\n\r\ntext")
"""


@pytest.fixture(scope="module")
def ours() -> Iterator[Cloud]:
    """An emulated AWS that runs containers."""
    emulator.refuse_without()
    if cloud.missing():
        pytest.skip(cloud.missing())
    folder = Path(tempfile.mkdtemp(prefix="crd"))
    try:
        with cloud.cloud(folder) as made, pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", made.engine)
            patch.setenv("DOCKER_CONFIG", str(folder / "client"))
            _push.engine.cache_clear()
            yield made
    except cloud.CannotRun as e:
        pytest.skip(str(e))
    finally:
        _push.engine.cache_clear()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def endpoint(ours: Cloud) -> str:
    """In place of the session's emulator."""
    return ours.endpoint


@pytest.fixture
def number() -> str:
    """The account whose registry the engine knows."""
    return emulator.ACCOUNT


@dataclass
class Shop:
    """`hello` in that account; its folder can be changed between releases."""

    want: Wanted
    cloud: Cloud
    releases: int = 0

    def up(self, *, copies: int = 2, text: str = "") -> None:
        """`up`, as a new release if `text` is given: what stands in the page then."""
        if text:
            self.releases += 1
            program = self.want.folder / "app.py"
            program.write_text(program.read_text().replace("Reload:", f"{text} Reload:"))
        web = self.want.services["web"]
        scale = web.scale.model_copy(update={"min": copies, "max": copies})
        services = {**self.want.services, "web": web.model_copy(update={"scale": scale})}
        releases = {**self.want.releases, "web": f"release-{self.releases:05}"}
        applied.up(replace(self.want, services=services, releases=releases))

    def page(self) -> str:
        """What a visitor gets from the balancer; empty while there is no answer."""
        found = Live(site_of(self.want)).client("elbv2").describe_load_balancers()
        host = found["LoadBalancers"][0]["DNSName"]
        request = urllib.request.Request(self.cloud.endpoint, headers={"Host": host})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    def service(self) -> Any:
        """The service as ECS tells it."""
        live = Live(site_of(self.want))
        return live.client("ecs").describe_services(
            cluster=live.physical(CLUSTER), services=[live.physical(service("web"))]
        )["services"][0]

    def definition(self) -> str:
        """The task definition that it shall run."""
        return str(self.service()["taskDefinition"])

    def rolled_out(self) -> bool:
        """Whether the last release is the one to go back to from now on."""
        return self.rollouts()[0] == "COMPLETED"

    def rollouts(self) -> list[str]:
        """How each of its deployments went."""
        return [str(one["rolloutState"]) for one in self.service()["deployments"]]

    def copies(self) -> list[str]:
        return self.cloud.running("web")


@dataclass(frozen=True)
class Provider:
    """A provider of mail on this machine. It asks for no login: ministack forgets a container's secrets."""

    port: int
    mails: Path

    @property
    def spec(self) -> dict[str, object]:
        """As the manifest names it."""
        return {"name": "own", "host": cloud.OURS, "port": self.port, "tls": False}

    def took(self) -> list[str]:
        return self.mails.read_text().splitlines() if self.mails.exists() else []


@pytest.fixture
def provider(ours: Cloud, tmp_path: Path) -> Iterator[Provider]:
    made = Provider(emulator.free_port(), tmp_path / "mails")
    argv = [cloud.OURS, str(made.port), str(made.mails)]
    with subprocess.Popen([sys.executable, standin.__file__, *argv]) as server:
        yield made
        server.terminate()


@pytest.fixture
def shop(account: str, ours: Cloud, tmp_path: Path) -> Shop:
    build = {"build": {"dockerfile": "Dockerfile"}}
    return Shop(examples.wanted("hello", tmp_path, services={"web": build}), ours)


eventually = partial(by_hand.eventually, within_s=WITHIN_S)


def test_hello_lives_in_containers(shop: Shop) -> None:
    shop.up(text="first")
    eventually(lambda: "first" in shop.page(), "the page comes through the balancer")
    eventually(lambda: len(shop.copies()) == 2, "two copies run")

    shop.up(copies=4)
    eventually(lambda: len(shop.copies()) == 4, "it scales")

    killed = shop.copies()[0]
    shop.cloud.docker("kill", killed)
    eventually(lambda: len(shop.copies()) == 4 and killed not in shop.copies(), "replaced")
    eventually(lambda: "first" in shop.page(), "it answers still")

    shop.up(copies=4, text="second")
    eventually(lambda: "second" in shop.page(), "the new release answers")

    eventually(shop.rolled_out, "the new release is complete")
    good = shop.definition()
    program = shop.want.folder / "app.py"
    program.write_text("raise SystemExit('no configuration')  # Reload:\n")
    shop.up(copies=4, text="third")  # ministack's CloudFormation does not wait for its ECS
    eventually(lambda: "FAILED" in shop.rollouts(), "the broken release is given up")
    eventually(lambda: shop.definition() == good, "the release before is back by itself")
    eventually(
        lambda: "second" in shop.page(), "it answers"
    )  # ministack sends to ending copies too
    eventually(lambda: len(shop.copies()) == 4, "with all of its copies")


def healthy(ours: Cloud, copy: str) -> bool:
    """Whether the check of the relay's task definition passes in a container; ministack does not ask."""
    check = _mail_relay.HEALTH.split()
    with contextlib.suppress(subprocess.CalledProcessError):
        ours.docker("exec", copy, *check)
        return True
    return False


def test_the_mail_relay_is_built_and_sends(
    account: str, ours: Cloud, tmp_path: Path, provider: Provider
) -> None:
    ours.make_debian(tmp_path, "postfix", "ca-certificates", "libsasl2-modules")
    shop = Shop(
        examples.wanted(
            "hello",
            tmp_path,
            services={"web": {"build": {"dockerfile": "Dockerfile"}}},
            resources={
                "mail": {"type": "mail", "from": "a@acme.example", "providers": [provider.spec]}
            },
        ),
        ours,
    )

    shop.up(text="first")

    eventually(
        lambda: len(ours.running("mail-relay")) == _mail_relay.COPIES, "the relay's copies run"
    )
    for copy in ours.running("mail-relay"):
        eventually(partial(healthy, ours, copy), "its health check passes")
        ours.inside(copy, sys.executable, "-c", SEND, str(_mail_relay.PORT), f"from-{copy}")
    sent = {f"transactional from-{copy}" for copy in ours.running("mail-relay")}
    eventually(lambda: set(provider.took()) == sent, "both mails leave by the provider")
