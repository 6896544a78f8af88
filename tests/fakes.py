"""A clock; and a target in memory, without servers, that passes the contract tests of the real ones."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cordillera.components.bill import Details
from cordillera.components.protocol import (
    Change,
    Effect,
    Part,
    Place,
    Plan,
    Progress,
    Tell,
    unheard,
)
from cordillera.components.state import (
    Copy,
    EnvironmentState,
    ResourceState,
    ServiceState,
    ZoneState,
)
from cordillera.components.wanted import Wanted
from cordillera.core.errors import CordilleraError, Refused

DATA = {"database", "cache", "objects", "queue", "mail", "search"}
DURABLE = DATA - {"search"}


class Hours:
    """A clock that sleeps at once."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def sleep(self, span: timedelta) -> None:
        self.at += span


@dataclass
class World:
    """What exists: per environment the parts made, the ones running, and what servers hold."""

    made: dict[str, dict[str, Part[str]]] = field(default_factory=dict)
    running: dict[str, set[str]] = field(default_factory=dict)
    wanted: dict[str, Wanted] = field(default_factory=dict)
    data: dict[str, dict[str, str]] = field(default_factory=dict)
    revision: int = 0


class MemoryEngine:
    """Plans and applies parts that are strings. `broken` units fail; for tests of what follows."""

    def __init__(self, world: World, *, broken: str = "") -> None:
        self.world, self.broken = world, broken
        self._plans: dict[str, tuple[Wanted, dict[str, Part[str]]]] = {}

    def plan(self, want: Wanted, at: Place, *, offline: bool = False) -> Plan:
        wanted = {p.key: p for p in parts(want)}
        made = self.world.made.get(at.env, {})
        running = self.world.running.get(at.env, set())
        changes = [
            (p.unit, c) for p in wanted.values() if (c := _change(p, made.get(p.key), running))
        ]
        changes += [
            (f"retire/{p.unit}", _as(p, Effect.DELETE, "no longer in the manifest"))
            for p in made.values()
            if p.key not in wanted
        ]
        units = tuple(dict.fromkeys(unit for unit, _ in changes))
        name = hashlib.sha256(repr((self.world.revision, changes)).encode()).hexdigest()[:12]
        self._plans[name] = (want, wanted)
        return Plan(
            name,
            str(self.world.revision),
            units,
            tuple(c for _, c in changes),
            tuple((u,) for u in units),
        )

    def details(self, plan: Plan) -> Details:
        return Details()

    def open(self, plan: Plan) -> Sequence[str]:
        if plan.base != str(self.world.revision):
            raise Refused("the environment changed since this plan was made", hint="plan again")
        want, _ = self._plans[plan.id]
        self.world.wanted[want.environment] = want
        self.world.revision += 1
        return ()

    def begin(self, plan: Plan, unit: str, token: str) -> None:
        if unit == self.broken:
            return
        want, wanted = self._plans[plan.id]
        made = self.world.made.setdefault(want.environment, {})
        running = self.world.running.setdefault(want.environment, set())
        if unit.startswith("retire/"):
            for key in [
                k
                for k, p in made.items()
                if p.unit == unit.removeprefix("retire/") and k not in wanted
            ]:
                del made[key]
                running.discard(key)
                self.world.data.get(want.environment, {}).pop(key, None)
            return
        for part in wanted.values():
            if part.unit == unit:
                made[part.key] = part
                running.add(part.key)

    def poll(self, plan: Plan, unit: str) -> Progress:
        return Progress(done=True, failure="told to fail" if unit == self.broken else "")

    def observe(self, at: Place) -> EnvironmentState:
        want = self.world.wanted.get(at.env)
        if want is None:
            raise CordilleraError(f"no environment called {at.env}")
        running = self.world.running.get(at.env, set())
        up = {key: key in running for key in self.world.made.get(at.env, {})}
        return EnvironmentState(
            environment=at.env,
            url=f"https://{want.app}.example",
            services={name: _service(name, want, up) for name in want.services},
            resources={
                name: ResourceState(
                    spec.type,
                    healthy=all(up.get(f"{spec.type}/{name}@{zone}", False) for zone in "ab"),
                    durable=spec.type in DURABLE,
                    endpoint=f"{name}.example",
                    detail="" if spec.type in DURABLE else "in memory",
                )
                for name, spec in want.resources.items()
            },
            zones={
                zone: ZoneState(healthy=up.get(f"zone/{zone}", False))
                for zone in ("a", "b", "witness")
            },
            certificate_days_left=90,
            isolation="memory",
            front_healthy=up.get("front/front", False),
        )

    def stop(self, at: Place) -> None:
        self.world.running[at.env] = set()
        self.world.revision += 1

    def destroy(self, at: Place, tell: Tell = unheard) -> None:
        for book in (self.world.made, self.world.running, self.world.wanted, self.world.data):
            book.pop(at.env, None)
        self.world.revision += 1


def variables(want: Wanted, service: str, *, reveal: bool) -> dict[str, str]:
    """What a service receives of its resources: the app contract, which is the same on every target."""
    secret = "s3cret" if reveal else "********"
    found: dict[str, str] = {}
    for name in want.services[service].resources:
        key = name.upper().replace("-", "_")
        found |= {
            "database": {f"{key}_URL": (url := f"mysql://u:{secret}@h:3306/{name}"), "DATABASE_URL": url},
            "cache": {f"{key}_URL": (url := f"redis://:{secret}@h:6379/0"), "REDIS_URL": url},
            "search": {f"{key}_URL": (url := f"https://app:{secret}@h"), "OPENSEARCH_URL": url},
            "objects": {f"{key}_BUCKET": f"{want.app}-{name}", "AWS_REGION": want.region},
            "queue": {f"{key}_QUEUE_URL": f"https://h/0/{name}", "AWS_REGION": want.region},
            "mail": {f"{key}_URL": (url := "smtp://h:25"), "SMTP_URL": url, f"{key}_FROM": "a@b.example"},
        }[want.resources[name].type]  # fmt: skip
    return found


def parts(want: Wanted) -> list[Part[str]]:
    """The parts of an environment: zones, each resource in each zone, each copy, the front."""
    made = [Part("zone", zone, f"zone/{zone}", "", "1") for zone in ("a", "b", "witness")]
    for name, spec in want.resources.items():
        digest = _digest(spec.model_dump_json())
        made += [
            Part(spec.type, f"{name}@{zone}", f"{spec.type}/{zone}", "", digest, spec.type in DATA)
            for zone in "ab"
        ]
    for name, service in want.services.items():
        tag = _digest(service.model_dump_json(exclude={"scale"}))[:5]
        made += [
            Part("service", f"{name}-{tag}-{'ab'[i % 2]}{i // 2 + 1}", f"service/{name}", "", tag)
            for i in range(service.scale.min)
        ]
    return [*made, Part("front", "front", "front", "", "1")]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _change(part: Part[str], old: Part[str] | None, running: set[str]) -> Change | None:
    if old is None:
        return _as(part, Effect.CREATE, "not there yet")
    if old.digest != part.digest:
        return _as(part, Effect.RESTART, "its settings changed")
    if part.key not in running:
        return _as(part, Effect.RESTART, "it does not run")
    return None


def _as(part: Part[str], effect: Effect, why: str) -> Change:
    return Change(part.component, part.name, effect, part.holds_data, certain=True, why=why)


def _service(name: str, want: Wanted, up: dict[str, bool]) -> ServiceState:
    copies = [p for p in parts(replace(want, resources={})) if p.unit == f"service/{name}"]
    return ServiceState(
        desired=len(copies),
        copies=tuple(
            Copy(p.name, p.name[-2], healthy=up.get(p.key, False), pid=1 if up.get(p.key) else 0)
            for p in copies
        ),
    )
