"""Addresses are handed out once, also to environments that lie under another CORDILLERA_HOME."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.targets.local import whole

from cordillera.components.protocol import Place
from cordillera.core.errors import NotReady
from cordillera.targets.local import _intent, _place
from cordillera.targets.local._engine import LocalEngine
from cordillera.targets.local._site import Site

WANT = whole.wanted("place/test", {})


@pytest.fixture
def homes(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path]]:
    """Two homes; what was claimed under them is given back."""
    with whole.home() as one, whole.home() as other:
        yield one, other
        for home in (one, other):
            monkeypatch.setenv("CORDILLERA_HOME", str(home))
            for name in _intent.environments():
                LocalEngine().destroy(Place(name, "local"))


def begun() -> Site:
    """Plan an environment and claim its place, as `up` does before it starts anything."""
    engine = LocalEngine()
    engine.open(engine.plan(WANT, Place(WANT.environment, "local")))
    intent = _intent.load(WANT.environment)
    assert intent is not None
    return _intent.site_of(intent)


def test_what_another_home_took_is_not_handed_out_again(
    homes: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORDILLERA_HOME", str(homes[0]))
    first = begun()
    monkeypatch.setenv("CORDILLERA_HOME", str(homes[1]))
    second = begun()

    assert second.listen != first.listen
    assert second.number != first.number
    with pytest.raises(NotReady, match="was just taken"):
        _place.claim(replace(second, listen=first.listen))
    with pytest.raises(NotReady, match="was just taken"):
        _place.claim(replace(second, number=first.number))
