"""Which number and address an environment gets, also when several start at once."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.rigs import wanted

from cordillera.core import process
from cordillera.core.errors import NotReady
from cordillera.targets.local import _intent, _place
from cordillera.targets.local._intent import Intent


@pytest.fixture(autouse=True)
def nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of our own: no claims, no root, a home for each test."""
    monkeypatch.setattr(process, "is_root", lambda: False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("CORDILLERA_HOME", str(tmp_path / "home"))


def settled(environment: str) -> Intent:
    return _place.settle(replace(wanted(), environment=environment), None, listen="")


def claim(intent: Intent) -> None:
    _place.claim(_intent.site_of(intent), intent)


def test_of_two_that_start_at_once_one_comes_first() -> None:
    first, second = settled("acme/test"), settled("globex/test")
    assert (first.number, first.listen) == (second.number, second.listen)
    claim(first)

    with pytest.raises(NotReady, match="just taken"):
        claim(second)
    with pytest.raises(NotReady, match=f"{first.listen} belongs to acme/test"):
        claim(replace(second, number=second.number + 1))

    again = settled("globex/test")
    claim(again)
    assert (again.number, again.listen) != (first.number, first.listen)


def test_the_address_of_another_home_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = settled("acme/test")
    claim(first)
    monkeypatch.setenv("CORDILLERA_HOME", str(tmp_path / "elsewhere"))

    assert settled("acme/test").listen != first.listen


def test_the_address_of_one_that_is_down_may_be_asked_for() -> None:
    first = settled("acme/test")
    claim(replace(first, stopped=True))
    second = _place.settle(replace(wanted(), environment="globex/test"), None, listen=first.listen)

    claim(second)

    assert second.listen == first.listen
