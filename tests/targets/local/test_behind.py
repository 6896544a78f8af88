"""What is still to be caught up with, and for how long, from two looks."""

from cordillera.components.state import Behind
from cordillera.targets.local._behind import compared


def test_the_time_left_is_estimated_from_how_fast_it_shrinks() -> None:
    first, second = {"b": (1200.0, "transactions")}, {"b": (1000.0, "transactions")}

    assert compared(first, second, 0.5) == {"b": Behind(1000.0, "transactions", 2.5)}


def test_what_does_not_shrink_has_no_estimate() -> None:
    grown = {"b": (900.0, "MB")}

    assert compared({"b": (800.0, "MB")}, grown, 0.5)["b"].seconds_left is None
    assert compared({}, grown, 0.5)["b"].seconds_left is None
    assert compared({"b": (950.0, "transactions")}, grown, 0.5)["b"].seconds_left is None
    assert compared({"b": (950.0, "MB")}, {}, 0.5) == {}
