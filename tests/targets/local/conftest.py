"""The environment that many tests share."""

from collections.abc import Iterator

import pytest
from tests.targets.local import whole
from tests.targets.local.whole import Environment


@pytest.fixture(scope="module")
def shop() -> Iterator[Environment]:
    """shop/test with every resource, in a home of its own."""
    with pytest.MonkeyPatch.context() as patch, whole.home() as home:
        patch.setenv("CORDILLERA_HOME", str(home))
        with whole.environment(whole.wanted("shop/test", dict(whole.RESOURCES)), home) as made:
            yield made
