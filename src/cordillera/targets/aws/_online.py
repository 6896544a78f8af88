"""A plan against what really is in the account: change sets of what is there, all of what is not."""

import hashlib
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from cordillera.components.protocol import Change, Effect
from cordillera.core.errors import CordilleraError, NotReady, Refused
from cordillera.targets.aws import (
    _bucket,
    _change_sets,
    _linked_roles,
    _switches,
    _versions,
    components,
)
from cordillera.targets.aws._client import DENIED, AwsError
from cordillera.targets.aws._cloudformation import ChangeSet, Stack, Stacks
from cordillera.targets.aws._draft import Draft
from cordillera.targets.aws._linked_roles import LinkedRole
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import ACCOUNT, ACCOUNT_STANDBY, UNITS

ASK_EVERY_S, MADE_WITHIN_S = 0.5, 120.0
UNFINISHED = ("CREATE_FAILED", "UPDATE_FAILED")


def compare(draft: Draft) -> None:
    """Fill a draft in. Makes change sets of stacks that are there, and executes none."""
    refuse_other_account(draft)
    look(draft)
    _ask(draft)
    for unit in draft.order:
        draft.changes[unit] = _unit(unit, draft)
    draft.linked_roles = _missing_roles(draft)
    draft.changes[ACCOUNT] = [
        *(role.change for role in draft.linked_roles),
        *draft.changes[ACCOUNT],
    ]
    for unit in reversed(UNITS):
        shared = unit in (ACCOUNT, ACCOUNT_STANDBY)
        if draft.found.get(unit) and unit not in draft.templates and not shared:
            draft.retire(unit)


def _ask(draft: Draft) -> None:
    """What is in the account already, and what is to be said about it."""
    live = Live(draft.site)
    for unit, template in draft.templates.items():
        for name in template.switches:
            asked = (one.switch(name, unit, live) for one in components.everything())
            value, note = next(found for found in asked if found is not None)
            draft.switches.setdefault(unit, {})[_switches.parameter(name)] = value
            draft.notes += [note] if note else []
        draft.versions |= _versions.current(template, _outputs(draft), live)


def _missing_roles(draft: Draft) -> tuple[LinkedRole, ...]:
    """The service-linked roles that the account lacks. Where that may not be looked at, it is said."""
    try:
        return _linked_roles.missing(draft.types, Live(draft.site))
    except AwsError as e:
        if e.code not in DENIED:
            raise
    draft.notes.append(
        "the credentials may not look at service-linked roles (iam:ListRoles): none is made, and a new "
        "account lacks some"
    )
    return ()


def refuse_other_account(draft: Draft) -> None:
    """Raises Refused when the credentials lead into another account than the manifest's."""
    found, wanted = _bucket.account_id(draft.site), draft.site.account.id
    if wanted and found != wanted:
        raise Refused(
            f"{draft.want.environment} lives in the account {wanted}, and the credentials are for {found}",
            hint="log in to that account, or name its profile or role in the manifest",
        )


def look(draft: Draft) -> None:
    """Ask for every stack, and for the templates of those that are there."""
    stacks = Stacks(draft.site)
    with ThreadPoolExecutor(max_workers=len(UNITS)) as pool:
        units = [u for u in UNITS if draft.site.standby_region or "standby" not in u]
        draft.found = dict(zip(units, pool.map(stacks.describe, units), strict=True))
        there = [unit for unit, stack in draft.found.items() if stack and not _new(stack)]
        draft.old = dict(zip(there, pool.map(stacks.template, there), strict=True))


def version(found: Mapping[str, Stack | None]) -> str:
    """Moves whenever anybody changes a stack of the environment."""
    text = repr([(unit, stack.version if stack else "") for unit, stack in sorted(found.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _new(stack: Stack | None) -> bool:
    return stack is None or stack.empty or stack.dead


def _unit(unit: str, draft: Draft) -> list[Change]:
    stack, template = draft.found.get(unit), draft.templates[unit]
    if stack is not None and stack.stuck:
        raise _stuck(stack, draft.site.region_of(unit))
    if _new(stack):
        draft.old.pop(unit, None)
        return draft.compare(unit)
    assert stack is not None
    known = draft.values(unit, _outputs(draft))
    if stack.moving:  # begun by an `up` that died: it is waited for, whatever else refers to it
        return draft.compare(unit) or [_unfinished(stack)]
    if known is None or draft.unsettled(unit):
        return draft.compare(unit)
    if draft.old[unit] == template.body and stack.parameters == known:
        return [_unfinished(stack)] if stack.status in UNFINISHED else []
    name, found = made(unit, draft, known)
    if found.empty:
        return []
    draft.change_sets[unit] = name
    return read(unit, draft, found)


def read(unit: str, draft: Draft, found: ChangeSet) -> list[Change]:
    """What a change set would do."""
    template = draft.templates[unit]
    old, data = draft.old.get(unit, {"Resources": {}}), draft.data(unit)
    changes = _change_sets.changes(found.changes, old, template.body, data)
    return list(_versions.explained(changes, template, draft.moved(unit)))


def made(unit: str, draft: Draft, known: Mapping[str, str]) -> tuple[str, ChangeSet]:
    """(name, change set), made now unless it is there. Raises CordilleraError when it cannot be."""
    stacks, template = Stacks(draft.site), draft.templates[unit]
    stack = draft.found.get(unit)
    name = _name(template.digest, known, stack)
    found = stacks.change_set(unit, name) if stack else None
    if found is None or (found.status == "FAILED" and not found.empty):
        if stack:
            stacks.drop_change_sets(unit)
        url = _bucket.upload(template, draft.site)
        stacks.make(unit, name, url, known, new=_new(stack))
        found = _waited(stacks, unit, name)
    if found.status == "FAILED" and not found.empty:
        raise CordilleraError(f"{unit}: CloudFormation refuses the change: {found.reason}")
    return name, found


def _waited(stacks: Stacks, unit: str, name: str) -> ChangeSet:
    deadline = time.monotonic() + MADE_WITHIN_S
    while time.monotonic() < deadline:
        found = stacks.change_set(unit, name)
        if found is not None and found.made:
            return found
        time.sleep(ASK_EVERY_S)
    raise NotReady(f"{unit}: CloudFormation has not made the change set in {MADE_WITHIN_S:.0f} s")


def _name(digest: str, known: Mapping[str, str], stack: Stack | None) -> str:
    """The same change to the same stack has the same name: `up` finds the one that `plan` made."""
    version = stack.version if stack and not stack.empty else ""
    text = repr((digest, sorted(known.items()), version))
    return "cordillera-" + hashlib.sha256(text.encode()).hexdigest()[:20]


def _outputs(draft: Draft) -> dict[str, dict[str, str]]:
    return {unit: stack.outputs for unit, stack in draft.found.items() if stack}


def _unfinished(stack: Stack) -> Change:
    why = f"was begun and not finished: {stack.reason or stack.status}"
    return Change("stack", stack.name, Effect.UPDATE, False, certain=False, why=why)


def _stuck(stack: Stack, region: str) -> Refused:
    return Refused(
        f"the stack {stack.name} could not be rolled back: {stack.reason or stack.status}",
        hint="mend what it names, then: aws cloudformation continue-update-rollback "
        f"--stack-name {stack.name} --region {region}",
    )
