"""Every contract test runs against every target that can run here."""

from collections.abc import Iterator

import pytest

from tests.contract.rigs import MemoryRig, Rig, local_rig


@pytest.fixture(params=["memory", pytest.param("local", marks=pytest.mark.slow)])
def rig(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """A target under test, empty."""
    if request.param == "memory":
        yield MemoryRig()
    else:
        with local_rig(monkeypatch) as made:
            yield made
