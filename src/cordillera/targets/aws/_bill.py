"""The bill of a month: every resource of a draft priced, and what would be cheaper. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from cordillera.components.bill import Bill, Details, Item, Thing
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import (
    _choices,
    _draft,
    _images,
    _prices,
    _pricing,
    _quotas,
    _reference,
    _rows,
)
from cordillera.targets.aws._resources import by_type
from cordillera.targets.aws._site import ACCOUNT, ACCOUNT_STANDBY, site_of
from cordillera.targets.aws._stack import Template

SHARED = (ACCOUNT, ACCOUNT_STANDBY)


def details(want: Wanted) -> Details:
    """Everything that there is to know of an environment without an account."""
    want = _images.with_releases(want)  # once: it reads the app's whole folder
    made = templates(want)
    rows = list(_rows.rows(made))
    return Details(
        things=[Thing(r.component, r.id, r.type.removeprefix("AWS::"), r.unit) for r in rows],
        needs=_quotas.needs(rows),
        bill=bill(want, made),
    )


def bill(want: Wanted, made: Mapping[str, Template]) -> Bill:
    """What the templates of an environment cost, and the choices that would be cheaper."""
    rows = list(_rows.rows(made))
    items = [*items_of(rows), *_missing(want, rows)]
    total = sum(item.usd or 0.0 for item in items)
    choices = _choices.choices(want, rows, total, total_of)
    regions = {row.region for row in rows if _prices.borrowed(row.region)}
    remarks = [f"no prices of {r} are known: those of us-east-1 stand in" for r in sorted(regions)]
    table = _prices.table()
    beside = _reference.comparison(want, templates)
    return Bill(table["date"], table["source"], items, choices, remarks, beside)


def templates(want: Wanted) -> dict[str, Template]:
    """The templates of an environment, built anew."""
    want = _images.with_releases(want)
    return _draft.draft(want, site_of(want)).templates


def total_of(want: Wanted) -> float:
    """US dollars a month of an environment, as far as it is priced."""
    items = items_of(_rows.rows(templates(want)))
    return sum(item.usd or 0.0 for item in items)


def items_of(rows: Iterable[_rows.Row]) -> Iterator[Item]:
    """A line for each thing that costs."""
    for row in rows:
        for cost in _pricing.of(row, _prices.of(row.region)):
            shared = "; once per account and region" if row.unit in SHARED else ""
            yield Item(row.component, row.id, cost.what, cost.usd, cost.assumes + shared)


def _missing(want: Wanted, rows: list[_rows.Row]) -> Iterator[Item]:
    """Resources that this version does not build yet: they will cost, and nobody must think they do not."""
    built = {row.component for row in rows}
    for name, spec in want.resources.items():
        if spec.type not in built and spec.type in by_type():
            yield Item(spec.type, name, "not offered yet, so not in this bill", None)
