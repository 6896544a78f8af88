"""Environments that the attacks share: one of two customers, and one whose edge is attacked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks import town as towns
from tests.targets.local import whole


@pytest.fixture(scope="package")
def attack_home() -> Iterator[Path]:
    """CORDILLERA_HOME of all attacks."""
    with pytest.MonkeyPatch.context() as patch, whole.home() as home:
        patch.setenv("CORDILLERA_HOME", str(home))
        yield home


@pytest.fixture(scope="package")
def town(attack_home: Path) -> Iterator[towns.Town]:
    """acme/test, where the attacker is, and globex/test, another customer's."""
    with towns.built(attack_home) as made:
        yield made
