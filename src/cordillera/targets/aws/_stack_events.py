"""What the events of a stack say to whoever waits for it. Pure but for the clock."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

ADVICE = {
    "already exists": "something of that name is there already: delete or rename it, then repeat",
    "AlreadyExists": "something of that name is there already: delete or rename it, then repeat",
    "not authorized": "give the credentials the policy that `cordillera aws policy` prints",
    "limit": "ask for more under Service Quotas in the console, then repeat",
}
CANCELLED = ("Resource creation cancelled", "Resource update cancelled")
Event = Mapping[str, Any]


def working_on(events: Sequence[Event]) -> str:
    """How many are done, and a line for each resource being worked on: its state and its seconds."""
    last = {event["LogicalResourceId"]: event for event in events}
    busy = [e for e in last.values() if str(e["ResourceStatus"]).endswith("_IN_PROGRESS")]
    own = [e for e in busy if e.get("PhysicalResourceId") != e["StackId"]]
    done = sum(1 for e in last.values() if str(e["ResourceStatus"]).endswith("_COMPLETE"))
    lines = [_line(event) for event in sorted(own, key=lambda e: e["Timestamp"])]
    return "\n".join([f"{done} done, {len(own)} under way", *lines]) if lines else ""


def _line(event: Event) -> str:
    seconds = max(0.0, time.time() - event["Timestamp"].timestamp())
    kind = str(event["ResourceType"]).removeprefix("AWS::")
    state = str(event["ResourceStatus"]).removesuffix("_IN_PROGRESS").lower()
    return f"{event['LogicalResourceId']} ({kind}) {state} {seconds:.0f} s"


def first_failed(events: Sequence[Event]) -> Event | None:
    """The event that began it, not those that were cancelled because of it."""
    failed = (e for e in events if str(e["ResourceStatus"]).endswith("_FAILED"))
    return next((e for e in failed if _why(e) not in CANCELLED), None)


def sentence(failed: Event) -> str:
    """What failed, and why."""
    kind = str(failed["ResourceType"]).removeprefix("AWS::")
    return f"{failed['LogicalResourceId']} ({kind}): {_why(failed)}{_advice(_why(failed))}"


def _why(event: Event) -> str:
    return str(event.get("ResourceStatusReason", ""))


def _advice(why: str) -> str:
    """What to do about causes that often occur."""
    return next((f" ({hint})" for words, hint in ADVICE.items() if words in why), "")
