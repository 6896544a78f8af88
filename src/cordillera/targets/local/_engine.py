"""Plans and applies the parts of the target `local`, unit by unit."""

import hashlib
import shutil
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cordillera.components.protocol import (
    Change,
    Effect,
    Place,
    Plan,
    Progress,
    Tell,
    unheard,
)
from cordillera.components.state import EnvironmentState
from cordillera.components.wanted import Wanted
from cordillera.core.errors import CordilleraError, ManifestError, Refused
from cordillera.targets.local import (
    _applying,
    _diff,
    _ending,
    _found,
    _intent,
    _observe,
    _place,
    _ready,
    _start,
    _supervisor,
    components,
    programs,
    service,
)
from cordillera.targets.local import network as network_component
from cordillera.targets.local._intent import Intent
from cordillera.targets.local._parts import LocalPart, Process, Task, is_spare
from cordillera.targets.local._site import Site, users_of

if TYPE_CHECKING:
    from cordillera.components.bill import Details


@dataclass
class _Draft:
    """A plan with what it was made from; lives as long as the command."""

    want: Wanted
    site: Site
    intent: Intent
    parts: dict[str, LocalPart]
    units: dict[str, list[Change]]
    work: dict[str, Future[None]] = field(default_factory=dict)
    begun: dict[str, _ready.Begun] = field(default_factory=dict)


class LocalEngine:
    """The engine of one machine. `listen` is the published address asked for, or empty."""

    def __init__(self, *, listen: str = "") -> None:
        self._listen = listen
        self._drafts: dict[str, _Draft] = {}
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="unit")

    # -- planning ---------------------------------------------------------------------------

    def plan(self, want: Wanted, at: Place, *, offline: bool = False) -> Plan:
        """Compare what is wanted with what really runs. Touches nothing. Raises Refused, NotReady."""
        want = service.with_releases(want)
        programs.check(want)
        old = _intent.load(want.environment)
        intent = _place.settle(want, old, listen=self._listen)
        _refuse_an_older(old, want)
        intent = replace(intent, users=_users(want, intent), format=_intent.FORMAT)
        site = _intent.site_of(intent)
        service.refuse_unset_secrets(want, site)
        parts = components.build(want, site)
        intent = replace(intent, ports=_ports(parts, intent))
        site = replace(site, ports=intent.ports)
        running = _remembered(intent) if offline else _found.digests(want.environment)
        running |= {} if offline else _laid_ready(parts, site)
        broken = {} if offline or old is None else _broken(parts, intent, site)
        found = _diff.changes(parts, intent.parts, running, broken)
        units: dict[str, list[Change]] = {}
        for unit, change in found:
            units.setdefault(unit, []).append(change)
        ordered = _diff.waves(units)
        plan = Plan(
            id=hashlib.sha256(repr((intent.revision, found)).encode()).hexdigest()[:12],
            base=str(old.revision if old else 0),
            units=tuple(unit for wave in ordered for unit in wave),
            changes=tuple(change for _, change in found),
            waves=ordered,
        )
        self._drafts[plan.id] = _Draft(want, site, intent, {p.key: p for p in parts}, units)
        return plan

    def details(self, plan: Plan) -> "Details":
        """Nothing costs anything here."""
        from cordillera.components.bill import Details

        return Details()

    # -- applying ---------------------------------------------------------------------------

    def open(self, plan: Plan) -> Sequence[str]:
        """Claim the place and remember what is asked, before the first unit. May be called twice."""
        draft = self._drafts[plan.id]
        current = _intent.load(draft.want.environment)
        if str(current.revision if current else 0) != plan.base:
            raise Refused(
                f"{draft.want.environment} changed since this plan was made",
                hint="plan again: cordillera plan " + draft.want.environment,
            )
        draft.intent = replace(draft.intent, stopped=False, revision=draft.intent.revision + 1)
        _place.claim(draft.site, draft.intent)
        draft.site.vault.create()
        _intent.save_wanted(draft.want)
        return ()

    def begin(self, plan: Plan, unit: str, token: str) -> None:
        """Start applying one unit; returns at once. Safe to call again."""
        draft = self._drafts[plan.id]
        changes = draft.units.get(unit, [])
        draft.begun[unit] = _ready.Begun(datetime.now(UTC))
        draft.work[unit] = self._pool.submit(self._apply, draft, changes)

    def poll(self, plan: Plan, unit: str) -> Progress:
        """How far that unit is."""
        draft = self._drafts[plan.id]
        work, changes = draft.work[unit], draft.units.get(unit, [])
        if not work.done():
            return Progress(done=False, detail=_ready.task_detail(draft.site, unit))
        error = work.exception()
        if isinstance(error, CordilleraError):
            hint = f" ({error.hint})" if error.hint else ""
            return Progress(done=True, failure=f"{error}{hint}")
        if error is not None:
            raise error
        parts = [draft.parts[k] for c in changes if (k := f"{c.component}/{c.name}") in draft.parts]
        progress = _ready.poll(parts, draft.site, draft.begun[unit])
        if progress.done and not progress.failure:
            self._record(draft, parts, changes)
        return progress

    def _apply(self, draft: _Draft, changes: list[Change]) -> None:
        for change in changes:
            key = f"{change.component}/{change.name}"
            if change.effect is Effect.DELETE:
                self._delete(draft, key)
            elif isinstance(draft.parts[key].body, Process):
                _applying.process(draft.parts[key], draft.site, change)
            else:
                _applying.task(draft.parts[key], draft.site, draft.want)

    def _delete(self, draft: _Draft, key: str) -> None:
        old = draft.intent.parts[key]
        if old.zone:
            zone = draft.site.zone(old.zone)
            if _supervisor.Supervisor(draft.site, zone).answers():
                _start.forget(old.name, draft.site, zone)
            if old.data:
                shutil.rmtree(zone.state / old.data, ignore_errors=True)
        components.by_name(old.component).removed(old.name, draft.site)

    def _record(self, draft: _Draft, parts: list[LocalPart], changes: list[Change]) -> None:
        """Remember what was done; synced before the next wave."""
        for part in parts:
            draft.intent = draft.intent.with_part(part)
        for change in changes:
            if change.effect is Effect.DELETE:
                draft.intent = draft.intent.without_part(f"{change.component}/{change.name}")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        names = ", ".join(dict.fromkeys(_title(c) for c in changes[:2]))
        draft.intent = replace(draft.intent, changed=f"{now} {names}")
        _intent.save(draft.intent)

    # -- driving ----------------------------------------------------------------------------

    def observe(self, at: Place) -> EnvironmentState:
        """Probe what runs."""
        return _observe.observe(at.env)

    def stop(self, at: Place) -> None:
        """End every process, services first; data stays. May be called twice."""
        intent = _known(at.env)
        site = _intent.site_of(intent)
        _ending.stop(site)
        network_component.remove(site)
        _place.forget_running(site)
        _intent.save(replace(intent, stopped=True, revision=intent.revision + 1))

    def destroy(self, at: Place, tell: Tell = unheard) -> None:
        """Leave nothing of the environment on this machine."""
        site = _intent.site_of(_known(at.env))
        _ending.kill(site)
        network_component.remove(site)
        _place.erase(site)


def _refuse_an_older(old: Intent | None, want: Wanted) -> None:
    """Raises Refused for what an older version brought up and still runs: its programs are other users'."""
    if old and old.format < _intent.FORMAT and not old.stopped and _found.scan(want.environment):
        raise Refused(
            f"{want.environment} was brought up by an older version, which kept programs less apart",
            hint=f"cordillera down {want.environment}, then up: data stays",
        )


def _users(want: Wanted, intent: Intent) -> dict[str, int]:
    try:
        return users_of(want.services, intent.users)
    except ValueError as e:
        raise ManifestError(f"{want.environment}: {e}", hint="split the app in two") from e


def _title(change: Change) -> str:
    same = change.name == change.component
    return change.name if same else f"{change.component} {change.name}"


def _ports(parts: list[LocalPart], intent: Intent) -> dict[str, int]:
    """Ports of the wanted parts, and of those that still run and are about to be retired."""
    owned = {part.name for part in intent.parts.values()}
    kept = {name: port for name, port in intent.ports.items() if name in owned}
    return kept | {
        p.name: p.body.port for p in parts if isinstance(p.body, Process) and p.body.port
    }


def _known(environment: str) -> Intent:
    intent = _intent.load(environment)
    if intent is None:
        raise ManifestError(
            f"no environment called {environment} on this machine",
            hint="see `cordillera environments`",
        )
    return intent


def _remembered(intent: Intent) -> dict[str, str]:
    """What runs as far as is remembered: nothing is asked."""
    return {} if intent.stopped else {key: part.digest for key, part in intent.parts.items()}


def _laid_ready(parts: list[LocalPart], site: Site) -> dict[str, str]:
    """Spares that their zones know: they need not run."""
    spares = [p for p in parts if is_spare(p)]
    return {p.key: digest for p in spares if (digest := _start.laid_ready(p, site))}


def _broken(parts: list[LocalPart], intent: Intent, site: Site) -> dict[str, str]:
    """Tasks that were done and hold no longer."""
    done = [p for p in parts if isinstance(p.body, Task) and p.key in intent.parts]
    with ThreadPoolExecutor(max_workers=8) as pool:
        holds = pool.map(lambda p: components.by_name(p.component).holds(p.body, site), done)
    return {p.key: "it is no longer so" for p, ok in zip(done, holds, strict=True) if not ok}
