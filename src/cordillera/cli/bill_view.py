"""What an environment consists of, needs and costs, as a person and as a program read it."""

from collections.abc import Sequence
from typing import Any

from cordillera.cli import render
from cordillera.components.bill import Bill, Comparison, Details, Item, Thing
from cordillera.components.protocol import Plan
from cordillera.components.target import Drift


def as_dict(details: Details) -> dict[str, Any]:
    """For programs; empty where nothing is known."""
    found: dict[str, Any] = {}
    if details.things:
        found["resources"] = [vars(thing) for thing in details.things]
        found["needs"] = [vars(need) for need in details.needs]
    if details.bill:
        found["bill"] = _bill(details.bill)
    return found


def show(details: Details, plan: Plan) -> None:
    """What stays as it is, the limits it takes up, the cost item by item, and what would be cheaper."""
    changed = {change.name for change in plan.changes}
    _things([thing for thing in details.things if thing.name not in changed])
    if details.needs:
        render.say("\n[bold]What it takes of the account's limits[/]")
        rows = [
            (
                n.limit,
                n.region,
                f"{n.takes:g}",
                f"{n.usual:g}" + (" !" if n.takes > n.usual else ""),
            )
            for n in details.needs
        ]
        render.table(("limit", "region", "takes", "a new account has"), rows)
    if details.bill:
        _show_bill(details.bill)


def show_drift(found: Sequence[Drift] | None) -> None:
    """What was changed by hand; nothing when it was not asked for."""
    if found is None:
        return
    if not found:
        render.say("\nNothing was changed by hand.")
        return
    render.say("\n[bold]Changed by hand[/]")
    render.table(
        ("stack", "name", "type", "what"), [(d.unit, d.name, d.kind, d.what) for d in found]
    )


def _things(things: Sequence[Thing]) -> None:
    if not things:
        return
    render.say("\n[bold]What stays as it is[/]")
    by_component: dict[str, list[Thing]] = {}
    for thing in things:
        by_component.setdefault(thing.component, []).append(thing)
    rows = [
        (component if first else "", one.name, one.kind)
        for component, many in by_component.items()
        for first, one in ((one is many[0], one) for one in many)
    ]
    render.table(("component", "name", "type"), rows)


def _show_bill(bill: Bill) -> None:
    render.say(f"\n[bold]What a month costs, at rest[/] [dim]list prices of {bill.as_of}[/]")
    rows = []
    for component, items in bill.by_component().items():
        total = sum(item.usd or 0.0 for item in items)
        rows.append((f"[bold]{component}[/]", "", f"[bold]{total:.2f}[/]", ""))
        rows += [(f"  {i.name}", i.what, money(i.usd), i.assumes) for i in items]
    rows.append(("[bold]all[/]", "", f"[bold]{bill.total_usd:.2f}[/]", _open(bill)))
    render.table(("", "what", "USD", "assumes"), rows)
    for remark in [bill.prices, *bill.remarks]:
        render.say(f"[dim]{remark}[/]")
    if bill.choices:
        render.say("\n[bold]Cheaper, and still highly available[/]")
        render.table(
            ("saves USD", "what", "how"),
            [(f"{c.saves_usd:.2f}", c.what, c.how) for c in bill.choices],
        )
    if bill.comparison:
        _beside(bill.comparison)


def _beside(found: Comparison) -> None:
    """The plain reference architecture and the cheapest one, component by component."""
    plain, ours = _totals(found.plain), _totals(found.cheapest)
    render.say(
        f"\n[bold]All of these together: {found.cheapest_usd:.2f} a month, {100 * found.below:.0f} % "
        f"below the plain reference architecture ({found.plain_usd:.2f})[/]"
    )
    rows = [
        (name, f"{plain.get(name, 0.0):.2f}", f"{ours.get(name, 0.0):.2f}", _said(name, found))
        for name in dict.fromkeys([*plain, *ours])
    ]
    render.table(("", "plain USD", "cheapest USD", ""), rows)


def _said(name: str, found: Comparison) -> str:
    return "not built by this version yet" if name in found.not_built else ""


def _totals(items: Sequence[Item]) -> dict[str, float]:
    found: dict[str, float] = {}
    for item in items:
        found[item.component] = found.get(item.component, 0.0) + (item.usd or 0.0)
    return found


def _open(bill: Bill) -> str:
    count = len(bill.unpriced)
    return f"and {count} that are not priced" if count else ""


def money(usd: float | None) -> str:
    """Dollars, or that nobody knows."""
    return "not priced" if usd is None else f"{usd:.2f}"


def _bill(bill: Bill) -> dict[str, Any]:
    return {
        "as_of": bill.as_of,
        "prices": bill.prices,
        "usd_a_month": round(bill.total_usd, 2),
        "items": [vars(item) for item in bill.items],
        "not_priced": [item.name for item in bill.unpriced],
        "cheaper": [vars(choice) for choice in bill.choices],
        "remarks": list(bill.remarks),
        "compared": _compared(bill.comparison) if bill.comparison else None,
    }


def _compared(found: Comparison) -> dict[str, Any]:
    return {
        "plain_usd": round(found.plain_usd, 2),
        "cheapest_usd": round(found.cheapest_usd, 2),
        "below": round(found.below, 3),
        "not_built": list(found.not_built),
        "plain": [vars(item) for item in found.plain],
        "cheapest": [vars(item) for item in found.cheapest],
    }
