"""`up`: carry out a plan, wave by wave; and its opposites. Convergent: killed anywhere, run it again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cordillera.components.protocol import Effect, Engine, Note, Place, Plan, Progress
from cordillera.components.state import EnvironmentState
from cordillera.components.target import TargetEngine
from cordillera.core.clock import Clock
from cordillera.core.errors import CordilleraError, Refused

POLL_EVERY = timedelta(seconds=0.1)
SETTLE_WITHIN, LOOK_EVERY = timedelta(seconds=30), timedelta(seconds=0.5)
"""So long what was just started may take until it does all that was promised."""
SETTLING = "health"
"""The unit that waiting for it is told as."""


@dataclass(frozen=True)
class Step:
    """One unit's news: its state is `waiting`, `working`, `done` or `failed`; `seconds` so far.

    `notes` are what whoever waits must know while the unit is at this. The state `note` is of no unit:
    a sentence that whoever waits should know.
    """

    unit: str
    state: str
    seconds: float = 0.0
    detail: str = ""
    notes: tuple[Note, ...] = ()


Tell = Callable[[Step], None]


def apply(engine: TargetEngine, plan: Plan, tell: Tell, *, clock: Clock, token: str) -> None:
    """Carry out `plan`. Raises CordilleraError naming the first unit that failed, and why."""
    if not plan.changes:
        return
    for remark in engine.open(plan):
        tell(Step("", "note", detail=remark))
    for wave in plan.waves:
        _carry_out(engine, plan, wave, tell, clock, token)


def settle(engine: Engine, at: Place, tell: Tell, *, clock: Clock) -> EnvironmentState:
    """Wait until the environment is healthy, telling what it lacks; the state in the end, well or not."""
    started = clock.now()
    while not (state := engine.observe(at)).healthy:
        span = clock.now() - started
        if span >= SETTLE_WITHIN:
            tell(Step(SETTLING, "failed", span.total_seconds(), state.trouble))
            break
        tell(Step(SETTLING, "working", span.total_seconds(), state.trouble))
        clock.sleep(LOOK_EVERY)
    else:
        tell(Step(SETTLING, "done", (clock.now() - started).total_seconds()))
    return state


def refuse_data_loss(plan: Plan, environment: str, *, consent: str) -> None:
    """Raises Refused when the plan loses data and `consent` is not the environment's name."""
    if not plan.endangered or consent == environment:
        return
    lost = ", ".join(f"{c.component} {c.name} ({c.effect.name.lower()})" for c in plan.endangered)
    raise Refused(
        f"{environment}: this would lose what is kept in {lost}",
        hint=f"to lose it on purpose: --yes-delete-data {environment}",
    )


def effects(plan: Plan) -> dict[Effect, int]:
    """How many changes of each kind."""
    return {e: n for e in Effect if (n := sum(1 for c in plan.changes if c.effect is e))}


def _carry_out(
    engine: Engine, plan: Plan, wave: tuple[str, ...], tell: Tell, clock: Clock, token: str
) -> None:
    started = clock.now()
    for unit in wave:
        engine.begin(plan, unit, f"{token}/{unit}")
        tell(Step(unit, "working"))
    waiting, failures = list(wave), list[tuple[str, str]]()
    while waiting:
        for unit in list(waiting):
            progress = engine.poll(plan, unit)
            tell(_step(unit, progress, clock.now() - started))
            if progress.done:
                waiting.remove(unit)
            if progress.failure:
                failures.append((unit, progress.failure))
        if waiting:
            clock.sleep(POLL_EVERY)
    if failures:
        raise _failed(failures)


def _step(unit: str, progress: Progress, span: timedelta) -> Step:
    state = "failed" if progress.failure else "done" if progress.done else "working"
    said = progress.failure or progress.detail
    return Step(unit, state, span.total_seconds(), said, progress.notes)


def _failed(failures: list[tuple[str, str]]) -> CordilleraError:
    text = "; ".join(f"{unit}: {why}" for unit, why in failures)
    return CordilleraError(
        text, hint="mend it and run `cordillera up` again: it goes on where it stopped"
    )


def token_of(now: datetime) -> str:
    """An idempotency key for one run of a command."""
    return now.strftime("up-%Y%m%dT%H%M%S")
