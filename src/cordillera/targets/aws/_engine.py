"""Plans and applies the parts of the target `aws`, stack by stack, through change sets."""

import hashlib
import re
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cordillera.components.protocol import Place, Plan, Progress, Tell, unheard
from cordillera.components.state import EnvironmentState
from cordillera.components.wanted import Wanted
from cordillera.core.errors import CordilleraError, ManifestError, Refused
from cordillera.targets.aws import (
    _apply,
    _bucket,
    _draft,
    _home,
    _images,
    _observe,
    _once,
    _online,
    _preflight,
)
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._draft import Draft
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import ACCOUNT, ACCOUNT_STANDBY, UNITS, site_of

if TYPE_CHECKING:
    from cordillera.components.bill import Details

OFFLINE = "offline"
TOKEN_LETTERS = 100
WORKERS = len(UNITS)


@dataclass
class _Work:
    """A unit being carried out: its future, and how far it is."""

    future: "Future[None]"
    heard: list[Progress]


class AwsEngine:
    """The engine of one account. What it plans it remembers for the life of the command."""

    def __init__(self) -> None:
        self._drafts: dict[str, Draft] = {}
        self._work: dict[tuple[str, str], _Work] = {}
        self._pool = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="stack")

    def plan(self, want: Wanted, at: Place, *, offline: bool = False) -> Plan:
        """Compare what is wanted with what the account holds, or offline with what was applied last."""
        _refuse_rehearsals(want)
        want = _images.with_releases(want)
        draft = _draft.draft(want, site_of(want))
        if offline:
            _draft.offline(draft, _home.templates(want.environment))
        else:
            _online.compare(draft)
        changes = tuple(change for found in draft.changes.values() for change in found)
        base = OFFLINE if offline else _online.version(draft.found)
        plan = Plan(
            id=hashlib.sha256(repr((base, changes)).encode()).hexdigest()[:12],
            base=base,
            units=tuple(unit for wave in draft.touched for unit in wave),
            changes=changes,
            waves=draft.touched,
            notes=tuple(draft.notes),
        )
        self._drafts[plan.id] = draft
        return plan

    def details(self, plan: Plan) -> "Details":
        """What it consists of, costs and needs of the account's limits."""
        from cordillera.targets.aws import _bill

        return _bill.details(self._drafts[plan.id])

    def open(self, plan: Plan) -> Sequence[str]:
        """Refuse when the account moved since the plan was made, or when it cannot succeed;
        remember what is asked. Nothing was touched before."""
        draft = self._drafts[plan.id]
        if plan.base == OFFLINE:
            raise Refused("this plan was made offline", hint="plan again without --offline")
        now = {unit: Stacks(draft.site).describe(unit) for unit in draft.found}
        if _online.version(now) != plan.base:
            raise Refused(
                f"{draft.want.environment} changed since this plan was made",
                hint=f"plan again: cordillera plan {draft.want.environment}",
            )
        remarks = _preflight.look(draft)
        _home.save_wanted(draft.want)
        return remarks

    def begin(self, plan: Plan, unit: str, token: str) -> None:
        """Start carrying out one unit; returns at once. Safe to call again."""
        draft, heard = self._drafts[plan.id], [Progress(done=False)]
        key = re.sub(r"[^a-zA-Z0-9-]", "-", token)[-TOKEN_LETTERS:].lstrip("-")

        def tell(now: Progress) -> None:
            heard[0] = now

        future = self._pool.submit(_apply.unit, unit, draft, key, tell)
        self._work[plan.id, unit] = _Work(future, heard)

    def poll(self, plan: Plan, unit: str) -> Progress:
        """How far that unit is: the resource being worked on, its state and seconds."""
        work = self._work[plan.id, unit]
        if not work.future.done():
            return work.heard[0]
        error = work.future.exception()
        if error is None:
            return Progress(done=True)
        if isinstance(error, CordilleraError):
            hint = f" ({error.hint})" if error.hint else ""
            return Progress(done=True, failure=f"{error}{hint}")
        raise error

    def observe(self, at: Place) -> EnvironmentState:
        """Ask the account what runs. Never raises for a sick environment."""
        return _observe.environment(_home.wanted(at.env))

    def stop(self, at: Place) -> None:
        """Raises CordilleraError: what costs most here are the resources, which would go on."""
        raise CordilleraError(
            "`down` is not offered on aws: databases and gateways would go on, and cost on",
            hint=f"lower `scale`, or end it for good: cordillera destroy {at.env}",
        )

    def destroy(self, at: Place, tell: Tell = unheard) -> None:
        """Delete every stack and what they keep, the last one first. The account's own stays."""
        want = _images.with_releases(_home.wanted(at.env))
        draft = _draft.draft(want, site_of(want))
        _online.refuse_other_account(draft)
        for unit in _destroyed(draft):
            heard = partial(tell, unit)
            heard(Progress(done=False, detail="looking"))
            _apply.delete(unit, draft, f"destroy-{unit}", heard)
            heard(Progress(done=True))
        _once.forget(want, Live(draft.site))
        _bucket.clear(draft.site)
        _home.forget(at.env)


def _refuse_rehearsals(want: Wanted) -> None:
    if want.rehearsal:
        raise ManifestError(
            f"{want.environment} cannot be for rehearsals: losing a zone is rehearsed on `local` only",
            hint=f"leave `rehearsal` out of environments.{want.environment}",
        )


def _destroyed(draft: Draft) -> list[str]:
    """The environment's own units, the last one first: nothing refers to what is deleted."""
    order = [*draft.order, *(unit for unit in UNITS if unit not in draft.templates)]
    standby = draft.site.standby_region
    return [
        unit
        for unit in reversed(order)
        if unit not in (ACCOUNT, ACCOUNT_STANDBY) and (standby or "standby" not in unit)
    ]
