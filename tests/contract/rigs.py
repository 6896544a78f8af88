"""One rig per target: how the contract tests make, break and look at an environment of it."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from cordillera.components.protocol import Place
from cordillera.components.service import HealthSpec, ScaleSpec, ServiceSpec
from cordillera.components.target import TargetEngine
from cordillera.components.wanted import Wanted
from cordillera.core.clock import SystemClock
from cordillera.core.process import is_root
from cordillera.operations import provision
from tests.fakes import MemoryEngine, World, variables

AT = Place("contract/test", "local")
HELLO = Path(__file__).parents[2] / "examples/hello"


class Rig(Protocol):
    """A target under test. `engine()` is a fresh engine on the same world, as a new command has."""

    name: str

    def engine(self) -> TargetEngine: ...
    def variables(self, service: str, *, reveal: bool) -> Mapping[str, str]:
        """What a service receives; secrets masked unless `reveal`."""
        ...

    def kill_copy(self, name: str) -> None:
        """kill -9 one copy of a service and keep it down until the next `up`."""
        ...

    def kill_everything(self) -> None:
        """As by a power cut."""
        ...

    def leftovers(self) -> list[str]:
        """Whatever of the environment is still in the world."""
        ...


class MemoryRig:
    """The in-memory target."""

    name = "memory"

    def __init__(self) -> None:
        self.world = World()

    def engine(self) -> TargetEngine:
        return MemoryEngine(self.world)

    def variables(self, service: str, *, reveal: bool) -> Mapping[str, str]:
        return variables(self.world.wanted[AT.env], service, reveal=reveal)

    def kill_copy(self, name: str) -> None:
        self.world.running[AT.env].discard(f"service/{name}")

    def kill_everything(self) -> None:
        self.world.running[AT.env] = set()

    def leftovers(self) -> list[str]:
        return [*self.world.made, *self.world.running, *self.world.data]


class LocalRig:
    """The target `local`, with real processes under a folder of its own."""

    name = "local"

    def __init__(self, home: Path) -> None:
        self.home = home

    def engine(self) -> TargetEngine:
        from cordillera.targets.local._engine import LocalEngine

        return LocalEngine()

    def variables(self, service: str, *, reveal: bool) -> Mapping[str, str]:
        from cordillera.targets.local._verbs import LocalVerbs

        return LocalVerbs().variables(AT.env, service, reveal=reveal)

    def kill_copy(self, name: str) -> None:
        from cordillera.targets.local import _intent, _start

        intent = _intent.load(AT.env)
        assert intent is not None
        site = _intent.site_of(intent)
        _start.forget(name, site, site.zone(intent.parts[f"service/{name}"].zone))

    def kill_everything(self) -> None:
        from cordillera.targets.local import _found, _intent, network

        _found.kill(_found.scan(AT.env))
        intent = _intent.load(AT.env)
        assert intent is not None
        site = _intent.site_of(intent)
        network.remove(site)
        shutil.rmtree(site.run, ignore_errors=True)

    def leftovers(self) -> list[str]:
        from cordillera.targets.local import _found

        files = [str(p) for p in self.home.rglob("*")]
        return files + [f.key for f in _found.scan(AT.env)] + left_on_machine()


def left_on_machine() -> list[str]:
    """Namespaces, control groups and packet rules of environments that no running one owns."""
    claimed = {p.name for p in Path("/run/cordillera-networks").glob("[0-9]*")}
    spaces = [p.name for p in Path("/run/netns").glob("crd*")]
    groups = [p.name for p in Path("/sys/fs/cgroup").glob("**/crd*") if p.is_dir()]
    return [n for n in {*spaces, *groups} if n.removeprefix("crd").split("-")[0] not in claimed]


@contextmanager
def local_rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalRig]:
    """A local rig that is cleaned up whatever happens."""
    home = Path(tempfile.mkdtemp(prefix="crd"))
    home.chmod(0o711)
    monkeypatch.setenv("CORDILLERA_HOME", str(home))
    if not is_root():
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
    rig = LocalRig(home)
    try:
        yield rig
    finally:
        from cordillera.targets.local import _intent

        for name in _intent.environments():
            rig.engine().destroy(Place(name, "local"))
        shutil.rmtree(home, ignore_errors=True)


def wanted(**changes: object) -> Wanted:
    """The hello app: two copies of one public service."""
    web = ServiceSpec(
        command="exec python3 app.py",
        public=True,
        health=HealthSpec(path="/healthz"),
        scale=ScaleSpec(min=2, max=2),
        memory=128 * 2**20,
    )
    values: dict[str, object] = {"services": {"web": web}, **changes}
    return Wanted(app="hello", environment=AT.env, folder=HELLO, **values)  # type: ignore[arg-type]


def bring_up(rig: Rig, want: Wanted) -> list[str]:
    """`up`: the keys of what was changed."""
    engine = rig.engine()
    plan = engine.plan(want, AT)
    provision.apply(engine, plan, lambda _: None, clock=SystemClock(), token="test")
    return [f"{c.component}/{c.name}" for c in plan.changes]
