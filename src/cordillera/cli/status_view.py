"""The state of an environment as a person and as a program read it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cordillera.cli import render
from cordillera.components.protocol import Place
from cordillera.components.state import (
    Behind,
    Copy,
    EnvironmentState,
    Member,
    ResourceState,
    ServiceState,
)
from cordillera.core.errors import CordilleraError

if TYPE_CHECKING:
    from cordillera.components.target import Target

BAR_WIDTH = 10
WARN_DAYS = 14
LEADERS = ("writer", "master")
"""Roles that follow nobody: how far they are behind says nothing."""


def as_dict(state: EnvironmentState) -> dict[str, Any]:
    """The state for programs."""
    return {
        "environment": state.environment,
        "url": state.url,
        "healthy": state.healthy,
        "isolation": state.isolation,
        "front": {"healthy": state.front_healthy, "detail": state.front_detail},
        "certificate_days_left": state.certificate_days_left,
        "last_change": state.last_change,
        "services": {
            name: {
                "desired": s.desired,
                "running": s.running,
                "healthy": s.healthy,
                "copies": [vars(copy) for copy in s.copies],
            }
            for name, s in state.services.items()
        },
        "resources": {
            name: {
                "type": r.type,
                "healthy": r.healthy,
                "durable": r.durable,
                "endpoint": r.endpoint,
                "detail": r.detail,
                "members": [asdict(member) for member in r.members],
            }
            for name, r in state.resources.items()
        },
        "zones": {
            name: {"healthy": z.healthy, "detail": z.detail, "down": list(z.down)}
            for name, z in state.zones.items()
        },
    }


def show(state: EnvironmentState, *, clear: bool) -> None:
    """The state as tables; `clear` wipes the screen first."""
    if clear:
        render.console().clear()
    verdict = "[green]healthy[/]" if state.healthy else "[bold red]NOT HEALTHY[/]"
    render.say(f"[bold]{state.environment}[/]  {verdict}  {state.url}")
    render.say(f"[dim]{_facts(state)}[/]\n")
    _services(state)
    _resources(state)
    _zones(state)
    if not state.front_healthy:
        render.say(f"\n[red]The published address: {state.front_detail}[/]")


def environments(target: "Target", named: Sequence[str]) -> list[dict[str, str]]:
    """Environments of this machine with a state in a word or two; then those only `named`."""
    here = list(target.verbs.environments())
    with ThreadPoolExecutor(max_workers=8) as pool:
        rows = list(pool.map(lambda name: _row(target, name), here))
    return rows + [
        {"environment": n, "state": "not made yet", "url": ""} for n in named if n not in here
    ]


def _row(target: "Target", name: str) -> dict[str, str]:
    try:
        state = target.engine("").observe(Place(name, "local"))
    except CordilleraError as e:
        return {"environment": name, "state": str(e), "url": ""}
    down = not any(z.healthy for z in state.zones.values())
    word = "down" if down else "healthy" if state.healthy else "not healthy"
    return {"environment": name, "state": word, "url": state.url}


def _facts(state: EnvironmentState) -> str:
    days = state.certificate_days_left
    facts = [
        f"isolation: {state.isolation}"
        + (" (none between users of this machine)" if state.isolation == "loopback" else "")
    ]
    if days is not None:
        facts.append(f"certificate: {days:.0f} days left" + (" !" if days < WARN_DAYS else ""))
    if state.last_change:
        facts.append(f"last change: {_ago(state.last_change)}")
    return "  ·  ".join(facts)


def _ago(change: str) -> str:
    """`2026-11-24T04:39:26+00:00 front front` as people say it."""
    at, _, what = change.partition(" ")
    seconds = (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()
    return f"{render.span(max(0.0, seconds))} ago, {what}"


def _services(state: EnvironmentState) -> None:
    rows = []
    for name, service in state.services.items():
        rows.append((f"[bold]{name}[/]", _bar(service), "", "", "", "", ""))
        rows.extend(_copy(copy) for copy in service.copies)
    if rows:
        render.table(("service", "copies", "zone", "pid", "age", "memory", "last exit"), rows)


def _bar(service: ServiceState) -> str:
    full = BAR_WIDTH * service.healthy // max(1, service.desired)
    colour = "green" if service.healthy >= service.desired else "red"
    bar = "█" * full + "░" * (BAR_WIDTH - full)
    return f"[{colour}]{bar}[/] {service.healthy}/{service.desired}"


def _copy(copy: Copy) -> tuple[str, str, str, str, str, str, str]:
    sign = "[green]●[/]" if copy.healthy else "[red]●[/]"
    what = f"{sign} {copy.release}" + (f" [red]{copy.detail}[/]" if copy.detail else "")
    return (
        f"  {copy.name}",
        what,
        copy.zone,
        str(copy.pid or "-"),
        render.span(copy.age_s) if copy.pid else "-",
        render.size(copy.memory_bytes) if copy.pid else "-",
        copy.last_exit or "-",
    )


def _resources(state: EnvironmentState) -> None:
    rows = []
    for name, resource in state.resources.items():
        rows.append(
            (
                f"[bold]{name}[/]",
                resource.type,
                _health(resource),
                resource.endpoint,
                resource.detail,
            )
        )
        rows.extend(_member(member) for member in resource.members)
    if rows:
        render.say("")
        render.table(("resource", "type", "state", "endpoint", "remarks"), rows)


def _health(resource: ResourceState) -> str:
    word = "[green]healthy[/]" if resource.healthy else "[bold red]NOT HEALTHY[/]"
    return word + ("" if resource.durable else " [yellow]not durable[/]")


def _member(member: Member) -> tuple[str, str, str, str, str]:
    sign = "[green]●[/]" if member.healthy else "[red]●[/]"
    follows = member.lag_s is not None and member.role not in LEADERS
    lag = "" if not follows else f"{member.lag_s:.0f} s behind"
    left = _left(member.behind) if member.behind else ""
    remarks = "; ".join(text for text in (left, member.detail) if text)
    return (f"  {member.zone}", member.role, sign, lag, remarks)


def _left(behind: Behind) -> str:
    """`1,230 transactions to catch up, about 12s`."""
    when = behind.seconds_left
    estimate = "not getting less" if when is None else f"about {render.span(max(1.0, when))}"
    return f"{behind.amount:,.0f} {behind.unit} to catch up, {estimate}"


def _zones(state: EnvironmentState) -> None:
    render.say("")
    words = [
        f"[green]●[/] {name}" if zone.healthy else f"[red]● {name}: {zone.detail}[/]"
        for name, zone in state.zones.items()
    ]
    render.say("zones  " + "   ".join(words))
