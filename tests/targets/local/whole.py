"""One environment with every kind of resource, brought up once and shared by many tests."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.contract.rigs import HELLO

from cordillera.components.cache import CacheSpec
from cordillera.components.database import DatabaseSpec
from cordillera.components.mail import MailSpec
from cordillera.components.objects import ObjectsSpec
from cordillera.components.protocol import Place
from cordillera.components.queue import QueueSpec
from cordillera.components.search import SearchSpec
from cordillera.components.service import HealthSpec, ScaleSpec, SecretSpec, ServiceSpec
from cordillera.components.state import EnvironmentState
from cordillera.components.wanted import Wanted
from cordillera.core.clock import SystemClock
from cordillera.operations import provision
from cordillera.targets.local import _intent, _once
from cordillera.targets.local._engine import LocalEngine
from cordillera.targets.local._site import Site

RESOURCES = {
    "db": DatabaseSpec(type="database"),
    "cache": CacheSpec(type="cache"),
    "search": SearchSpec(type="search"),
    "uploads": ObjectsSpec(type="objects", public=["media/"]),
    "jobs": QueueSpec(type="queue"),
    "mail": MailSpec(type="mail"),
}


@dataclass
class Environment:
    """A running environment, and how a test looks into it."""

    want: Wanted
    home: Path
    number: int = 0

    @property
    def at(self) -> Place:
        return Place(self.want.environment, "local")

    @property
    def site(self) -> Site:
        intent = _intent.load(self.want.environment)
        assert intent is not None
        return _intent.site_of(intent)

    def up(self) -> list[str]:
        """`up`: what was changed."""
        engine = LocalEngine()
        plan = engine.plan(self.want, self.at)
        provision.apply(engine, plan, lambda _: None, clock=SystemClock(), token="test")
        if plan.changes:
            provision.settle(engine, self.at, lambda _: None, clock=SystemClock())
        return [f"{c.component}/{c.name}" for c in plan.changes]

    def site_folders_left(self) -> list[str]:
        """Files and folders of the environment that are still there."""
        places = (self.home / "state" / self.want.environment, self.home / "run" / str(self.number))
        return [str(place) for place in places if place.exists()]

    def state(self) -> EnvironmentState:
        return LocalEngine().observe(self.at)

    def inside(self, code: str, *, zone: str = "a", service: str = "web") -> str:
        """What a Python script prints that runs as a service does, with our packages."""
        log = self.home / "script.log"
        want = _intent.load_wanted(self.want.environment)
        assert want is not None
        status = _once.logged(
            service, [sys.executable, "-c", code], want, self.site, log,
            timeout_s=60, zone=self.site.zone(zone),
        )  # fmt: skip
        assert status == 0, log.read_text()
        return log.read_text()


def wanted(environment: str, resources: dict[str, object]) -> Wanted:
    """The hello app using `resources`."""
    web = ServiceSpec(
        command="exec python3 app.py",
        public=True,
        health=HealthSpec(path="/healthz"),
        scale=ScaleSpec(min=2, max=2),
        memory=256 * 2**20,
        resources=list(resources),
        secrets=[SecretSpec(name="SECRET_KEY", generate=True)],
    )
    return Wanted(
        app="shop",
        environment=environment,
        folder=HELLO,
        services={"web": web},
        resources=resources,  # type: ignore[arg-type]
    )


@contextmanager
def environment(want: Wanted, home: Path) -> Iterator[Environment]:
    """Up for the block, destroyed after it whatever happens. CORDILLERA_HOME is `home`."""
    made = Environment(want, home)
    try:
        made.up()
        made.number = made.site.number
        yield made
    finally:
        if _intent.load(want.environment):
            LocalEngine().destroy(made.at)


@contextmanager
def home() -> Iterator[Path]:
    """A short folder for CORDILLERA_HOME, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="crd"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
