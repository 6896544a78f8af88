"""One unit of a plan is carried out: its stack is made, changed or deleted, and its hooks are run."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from cordillera.components.protocol import Change, Progress
from cordillera.core.errors import CordilleraError, NotReady, Refused
from cordillera.targets.aws import (
    _home,
    _leftovers,
    _linked_roles,
    _online,
    _stack_events,
    _versions,
    components,
)
from cordillera.targets.aws._besides import Besides
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._cloudformation import Stack, Stacks
from cordillera.targets.aws._draft import RETIRE, Draft
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import ACCOUNT, PROTECTED

SLOWEST_S, QUICKEST_S = 3.0, 0.2
HOOK_WITHIN_S = 1800.0
Answer = TypeVar("Answer")
Tell = Callable[[Progress], None]


def unit(name: str, draft: Draft, token: str, tell: Tell) -> None:
    """Carry it out. Raises CordilleraError with the first thing that failed, and why."""
    if name.startswith(RETIRE):
        delete(name.removeprefix(RETIRE), draft, token, tell)
        return
    live = Live(draft.site)
    stack = _at_rest(name, draft, tell)
    if stack is not None and stack.dead:
        delete(name, draft, token + "-clean", tell)
        stack = None
    draft.found[name] = stack
    if name == ACCOUNT:
        _hook(lambda: _linked_roles.make(draft.linked_roles, live), tell)
    for component in components.everything():
        _hook(lambda c=component: c.before(name, draft.want, live), tell)  # type: ignore[misc]
    _change(name, draft, token, tell)
    if name in PROTECTED:
        Stacks(draft.site).protect(name, on=True)
    live.forget()
    for component in components.everything():
        _hook(lambda c=component: c.after(name, draft.want, live), tell)  # type: ignore[misc]
    _home.save_template(draft.want.environment, name, draft.templates[name].body)


def delete(name: str, draft: Draft, token: str, tell: Tell) -> None:
    """Delete a stack and what it would leave behind. May be called twice."""
    stacks, live = Stacks(draft.site), Live(draft.site)
    stack = _at_rest(name, draft, tell)
    if stack is not None:
        for component in components.everything():
            component.clear(name, draft.want, live)
        left = [] if stack.empty else _leftovers.of(name, stacks)
        if name in PROTECTED:
            stacks.protect(name, on=False)
        stacks.delete(name, token)
        _wait(name, stack.id, stacks, token, tell, draft)
        _leftovers.remove(left, live, draft.site.region_of(name))
    _home.drop_template(draft.want.environment, name)


def _change(name: str, draft: Draft, token: str, tell: Tell) -> None:
    """Execute the change set that the plan made, else one that does no more than the plan said."""
    stacks = Stacks(draft.site)
    outputs = _outputs(draft, stacks)
    # What was done before this stack may have given a secret its value.
    draft.versions |= _versions.current(draft.templates[name], outputs, Live(draft.site))
    known = draft.values(name, outputs)
    if known is None:
        raise CordilleraError(f"{name}: a stack that it refers to does not tell all that is needed")
    tell(_at("making the change set"))
    change_set, found = _online.made(name, draft, known)
    if found.empty:
        return
    if change_set != draft.change_sets.get(name):
        _refuse_surprises(name, draft, _online.read(name, draft, found))
    stacks.execute(name, change_set, token)
    stack = stacks.describe(name)
    assert stack is not None
    _wait(name, stack.id, stacks, token, tell, draft)


def _refuse_surprises(name: str, draft: Draft, now: list[Change]) -> None:
    planned = {change.name for change in draft.changes[name] if change.endangers_data}
    more = [change.name for change in now if change.endangers_data and change.name not in planned]
    if more:
        raise Refused(
            f"this would lose the data of {', '.join(more)}, which the plan did not say",
            hint=f"look at it: cordillera plan {draft.want.environment}",
        )


def _outputs(draft: Draft, stacks: Stacks) -> dict[str, dict[str, str]]:
    units = {
        ref.unit for template in draft.templates.values() for ref in template.parameters.values()
    }
    found = {unit: stacks.describe(unit) for unit in units}
    return {unit: stack.outputs for unit, stack in found.items() if stack}


def _at_rest(name: str, draft: Draft, tell: Tell) -> Stack | None:
    """The stack, once nobody works on it any more: an `up` that was killed goes on in the cloud."""
    stacks, began = Stacks(draft.site), time.monotonic()
    besides = Besides(name, draft.want, Live(draft.site))
    while (stack := stacks.describe(name)) is not None and stack.moving:
        under_way = f"waiting for what is under way: {stack.status}"
        tell(besides.beside(under_way, stack, now_s=time.monotonic()))
        time.sleep(_pause(began))
    return stack


def _wait(name: str, stack_id: str, stacks: Stacks, token: str, tell: Tell, draft: Draft) -> None:
    """Until the stack rests. Raises CordilleraError with the first failing event."""
    began, live, failed = time.monotonic(), Live(draft.site), ""
    besides = Besides(name, draft.want, live)
    while True:
        look = partial(_look, stacks, stack_id, name, token)
        stack, events = _patiently(look, lambda now: tell(besides.still(now.detail)))
        failed = failed or _first_failure(name, events, draft, live)
        if stack is None or not (stack.moving or stack.empty):
            break
        working = besides.beside(_stack_events.working_on(events), stack, now_s=time.monotonic())
        tell(_at(f"rolling back: {failed}") if failed else working)
        if not failed and (failed := _trouble(name, draft, live)):
            if _give_up(stack):
                raise CordilleraError(failed)
            if stack.status == "UPDATE_IN_PROGRESS":
                stacks.cancel(name)
        time.sleep(_pause(began))
    if failed or (stack is not None and not _well(stack)):
        raise CordilleraError(failed or f"{stack.status}: {stack.reason}" if stack else failed)


def _look(
    stacks: Stacks, stack_id: str, name: str, token: str
) -> tuple[Stack | None, list[Mapping[str, Any]]]:
    return stacks.describe(name), _events(stacks, stack_id, name, token)


def _well(stack: Stack) -> bool:
    return stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")


def _give_up(stack: Stack) -> bool:
    """Whether it is left at once. Only an update can be cancelled, and then what was there comes back;
    a creation goes on by itself and is told now: nobody waits for it to time out."""
    return stack.status == "CREATE_IN_PROGRESS"


def _trouble(name: str, draft: Draft, live: Live) -> str:
    found = (c.trouble(name, draft.want, live) for c in components.everything())
    return next((text for text in found if text), "")


def _first_failure(name: str, events: Sequence[Mapping[str, Any]], draft: Draft, live: Live) -> str:
    """What failed first, and whatever else the account tells about it; empty while nothing has."""
    event = _stack_events.first_failed(events)
    if event is None:
        return ""
    id = str(event["LogicalResourceId"])
    causes = (c.cause(name, id, draft.want, live) for c in components.everything())
    known = [_stack_events.sentence(event), next((text for text in causes if text), "")]
    return "; ".join(filter(None, known))


def _events(stacks: Stacks, stack_id: str, name: str, token: str) -> list[Mapping[str, Any]]:
    try:
        return stacks.events(stack_id, name, token)
    except AwsError:
        return []  # a stack that has just gone tells nothing more


def _at(text: str) -> Progress:
    return Progress(done=False, detail=text)


def _hook(call: Callable[[], None], tell: Tell) -> None:
    """Again while it is not ready. Raises what it raises in the end."""
    _patiently(call, tell)


def _patiently(call: Callable[[], Answer], tell: Tell) -> Answer:
    """What a call answers, asked again while AWS asks us to slow down or it is not ready."""
    began = time.monotonic()
    while True:
        try:
            return call()
        except NotReady as e:
            if time.monotonic() - began > HOOK_WITHIN_S:
                raise
            tell(_at(str(e)))
            time.sleep(_pause(began))


def _pause(began: float) -> float:
    """Quick at first, then as rarely as CloudFormation likes to be asked."""
    return min(SLOWEST_S, max(QUICKEST_S, (time.monotonic() - began) / 20))
