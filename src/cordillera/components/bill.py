"""What an environment consists of, what it costs a month, and which limits of an account it needs."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One line of a bill. `usd` is per month; None says that it costs and is not priced."""

    component: str
    name: str
    what: str
    usd: float | None
    assumes: str = ""


@dataclass(frozen=True)
class Choice:
    """Something cheaper that keeps the environment highly available. `saves_usd` is per month."""

    what: str
    how: str
    saves_usd: float


@dataclass(frozen=True)
class Comparison:
    """The plain reference architecture and the cheapest highly available one, item by item.

    `not_built` are components that are on both sides and that this version does not build yet.
    """

    plain: Sequence[Item]
    cheapest: Sequence[Item]
    not_built: Sequence[str] = ()

    @property
    def plain_usd(self) -> float:
        return sum(item.usd or 0.0 for item in self.plain)

    @property
    def cheapest_usd(self) -> float:
        return sum(item.usd or 0.0 for item in self.cheapest)

    @property
    def below(self) -> float:
        """The share that the cheapest one saves, 0 to 1."""
        return 1 - self.cheapest_usd / self.plain_usd if self.plain_usd else 0.0


@dataclass(frozen=True)
class Bill:
    """The cost of a month at list prices of `as_of` (a date), item by item, and what would be cheaper."""

    as_of: str
    prices: str
    items: Sequence[Item]
    choices: Sequence[Choice] = ()
    remarks: Sequence[str] = ()
    comparison: Comparison | None = None

    @property
    def total_usd(self) -> float:
        """The sum of what is priced."""
        return sum(item.usd or 0.0 for item in self.items)

    @property
    def unpriced(self) -> Sequence[Item]:
        """What costs something besides."""
        return [item for item in self.items if item.usd is None]

    def by_component(self) -> dict[str, list[Item]]:
        """The items of each component, the components in their order."""
        found: dict[str, list[Item]] = {}
        for item in self.items:
            found.setdefault(item.component, []).append(item)
        return found


@dataclass(frozen=True)
class Need:
    """How much of a limit of the account an environment takes up in a region. `usual` is a new account's."""

    limit: str
    region: str
    takes: float
    usual: float


@dataclass(frozen=True)
class Thing:
    """One resource that an environment consists of."""

    component: str
    name: str
    kind: str
    place: str


@dataclass(frozen=True)
class Details:
    """What there is to know of an environment without asking anybody. `bill` is None where nothing costs."""

    things: Sequence[Thing] = ()
    needs: Sequence[Need] = ()
    bill: Bill | None = None
