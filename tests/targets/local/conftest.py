"""The environment that many tests share."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from tests.targets.local import whole
from tests.targets.local.whole import Environment

from cordillera.targets.local import _intent
from cordillera.targets.local._log import log_tail

LOGGED_LINES = 40
LOGS = ("keeper", "mariadb", "master", "volume", "filer", "s3")


@pytest.fixture(scope="module")
def shop() -> Iterator[Environment]:
    """shop/test with every resource, in a home of its own."""
    with pytest.MonkeyPatch.context() as patch, whole.home() as home:
        patch.setenv("CORDILLERA_HOME", str(home))
        with whole.environment(whole.wanted("shop/test", dict(whole.RESOURCES)), home) as made:
            yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test tells what the keepers and servers of its environment logged last."""
    report = yield
    if report.failed:
        used = getattr(item, "funcargs", {}).values()
        names = {u.at.env if isinstance(u, Environment) else getattr(u, "name", "") for u in used}
        for file in sorted({file for name in names for file in logs_of(name)}):
            report.sections.append((str(file), "\n".join(log_tail(file, LOGGED_LINES))))
    return report


def logs_of(environment: object) -> list[Path]:
    """The logs of the keepers, databases and object stores of an environment."""
    intent = _intent.load(environment) if isinstance(environment, str) else None
    zones = _intent.site_of(intent).domains if intent else ()
    return [f for z in zones for name in LOGS for f in (z.state / "logs").glob(f"{name}*.log")]
