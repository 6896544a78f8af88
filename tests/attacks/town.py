"""Two customers' environments on one machine, and how an attacker in the first looks around."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cordillera.components.cache import CacheSpec
from cordillera.components.database import DatabaseSpec
from cordillera.components.objects import ObjectsSpec
from cordillera.components.service import BuildSpec, ScaleSpec, SecretSpec
from cordillera.components.wanted import Wanted
from cordillera.targets.local import _found, _intent
from cordillera.targets.local._supervisor import Supervisor
from tests.attacks import build_script as _build
from tests.targets.local import visitor, whole
from tests.targets.local.whole import Environment

VICTIM_WORD = "the-other-customer's-word"


@dataclass(frozen=True)
class Town:
    """`ours` is where the attacker is; `theirs` is another customer's."""

    ours: Environment
    theirs: Environment

    def attack(self, code: str, *, service: str = "web") -> Any:
        """What a script prints as JSON that runs as a service of `ours` does."""
        return json.loads(self.ours.inside(code, service=service).strip().splitlines()[-1])

    def as_server(self, user: str, *argv: str, zone: str = "a") -> subprocess.CompletedProcess[str]:
        """Run a program in our zone as one of its servers: what whoever broke into that server could do."""
        site = self.ours.site
        pid, uid = Supervisor(site, site.zone(zone)).pid(), site.uid(user)
        enter = ["nsenter", f"--target={pid}", "--mount", "--pid", "--ipc", "--net"]
        become = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs"]
        return subprocess.run(
            [*enter, *become, *argv], capture_output=True, text=True, timeout=30, check=False
        )


@contextmanager
def built(home: Path) -> Iterator[Town]:
    """Both up for the block, in the home that CORDILLERA_HOME names."""
    with (
        whole.environment(_victim(), home) as theirs,
        whole.environment(_attacker(home, theirs), home) as ours,
    ):
        yield Town(ours, theirs)


def _victim() -> Wanted:
    want = whole.wanted("globex/test", {"cache": CacheSpec(type="cache")})
    web = replace_model(want.services["web"], environment={"WORD": VICTIM_WORD})
    return replace(want, services={"web": web})


def _attacker(home: Path, theirs: Environment) -> Wanted:
    (home / "town").mkdir()
    folder = visitor.app(home / "town")
    (folder / "attack.py").write_text(_build.script(home, theirs.site))
    resources = {
        "db": DatabaseSpec(type="database"),
        "cache": CacheSpec(type="cache"),
        "uploads": ObjectsSpec(type="objects"),
    }
    want = whole.wanted("acme/test", resources)  # type: ignore[arg-type]
    run = "python3 attack.py"
    web = replace_model(want.services["web"], build=BuildSpec(run=run))
    other = replace_model(
        web, public=False, resources=[], secrets=[SecretSpec(name="OTHER_KEY", generate=True)],
        environment={"WORD": "the-other-service's-word"}, scale=ScaleSpec(min=2, max=2), build=None,
    )  # fmt: skip
    return replace(want, folder=folder, services={"web": web, "other": other})


def replace_model(model: Any, **changed: Any) -> Any:
    """The same pydantic model with other values."""
    return model.model_copy(update=changed)


def release_of(town: Town, service: str) -> Path:
    """Where the release of one of our services lies."""
    want = _intent.load_wanted(town.ours.want.environment)
    assert want is not None
    return town.ours.site.builds / want.releases[service]


def running(environment: Environment) -> dict[str, _found.Found]:
    """Key of each part -> its process."""
    return _found.leaders(_found.scan(environment.want.environment))
