"""One environment for all attacks on the edge."""

from collections.abc import Iterator

import pytest

from cordillera.targets.local import _haproxy
from tests.attacks import edge
from tests.targets.local import whole
from tests.targets.local.whole import Environment

ANSWERS_WITHIN = "timeout server 6s"


@pytest.fixture(scope="session")
def doors() -> Iterator[Environment]:
    """doors/test, up. A copy that never answers is waited for 6 s, not 60."""
    quick = _haproxy.HTTP_DEFAULTS.replace("timeout server 60s", ANSWERS_WITHIN)
    with pytest.MonkeyPatch.context() as patch, whole.home() as home:
        patch.setenv("CORDILLERA_HOME", str(home))
        patch.setattr(_haproxy, "HTTP_DEFAULTS", quick)
        with whole.environment(edge.wanted(home), home) as made:
            yield made
