"""The bill of a month: every resource of a draft priced, and what would be cheaper. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from cordillera.components.bill import Bill, Details, Item, Thing
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import (
    _choices,
    _mail_relay,
    _prices,
    _pricing,
    _quotas,
    _reference,
    components,
)
from cordillera.targets.aws._draft import Draft
from cordillera.targets.aws._resources import by_type
from cordillera.targets.aws._rows import Row, rows
from cordillera.targets.aws._site import ACCOUNT, ACCOUNT_STANDBY, site_of

SHARED = (ACCOUNT, ACCOUNT_STANDBY)


def details(draft: Draft) -> Details:
    """Everything that there is to know of an environment without an account."""
    made = rows(draft.parts, draft.site)
    return Details(
        things=[Thing(r.component, r.id, r.type.removeprefix("AWS::"), r.unit) for r in made],
        needs=_quotas.needs(made),
        bill=bill(draft.want, made),
    )


def bill(want: Wanted, made: Sequence[Row]) -> Bill:
    """What an environment of those rows costs, and the choices that would be cheaper."""

    def built(wish: Wanted) -> Sequence[Row]:
        return made if wish == want else rows_of(wish)

    items = [*items_of(made), *_missing(want, made)]
    total = total_of(items)
    choices = _choices.choices(want, made, total, lambda wish: total_of(items_of(built(wish))))
    regions = {row.region for row in made if _prices.borrowed(row.region)}
    remarks = [f"no prices of {r} are known: those of us-east-1 stand in" for r in sorted(regions)]
    table = _prices.table()
    beside = _reference.comparison(want, built)
    return Bill(table["date"], table["source"], items, choices, remarks, beside)


def rows_of(want: Wanted) -> list[Row]:
    """The rows of a wish whose releases are known. Mail relays are as we make them, whatever is wished."""
    want, site = _mail_relay.with_relays(want), site_of(want)
    return rows(components.build(want, site), site)


def total_of(items: Iterable[Item]) -> float:
    """US dollars a month, as far as it is priced."""
    return sum(item.usd or 0.0 for item in items)


def items_of(made: Iterable[Row]) -> Iterator[Item]:
    """A line for each thing that costs."""
    for row in made:
        for cost in _pricing.of(row, _prices.of(row.region)):
            shared = "; once per account and region" if row.unit in SHARED else ""
            yield Item(row.component, row.id, cost.what, cost.usd, cost.assumes + shared)


def _missing(want: Wanted, made: Sequence[Row]) -> Iterator[Item]:
    """Resources that this version does not build yet: they will cost, and nobody must think they do not."""
    built = {row.component for row in made}
    for name, spec in want.resources.items():
        if spec.type not in built and spec.type in by_type():
            yield Item(spec.type, name, "not offered yet, so not in this bill", None)
