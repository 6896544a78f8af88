"""Environments that the attacks share: one of two customers, and one whose edge is attacked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cordillera.targets.local import _haproxy
from tests.attacks import edge
from tests.attacks import town as towns
from tests.targets.local import whole
from tests.targets.local.whole import Environment

ANSWERS_WITHIN = "timeout server 6s"


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


@pytest.fixture(scope="package")
def doors(attack_home: Path) -> Iterator[Environment]:
    """doors/test, up. A copy that never answers is waited for 6 s, not 60."""
    quick = _haproxy.HTTP_DEFAULTS.replace("timeout server 60s", ANSWERS_WITHIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_haproxy, "HTTP_DEFAULTS", quick)
        with whole.environment(edge.wanted(attack_home), attack_home) as made:
            yield made
