"""What every target promises of each component: one environment with all of them, each asked in turn."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cordillera.components.cache import CacheSpec
from cordillera.components.database import DatabaseSpec
from cordillera.components.mail import MailSpec
from cordillera.components.objects import ObjectsSpec
from cordillera.components.protocol import Effect
from cordillera.components.queue import QueueSpec
from cordillera.components.resources import TYPES
from cordillera.components.search import SearchSpec
from cordillera.components.wanted import Wanted
from cordillera.core.errors import Refused
from cordillera.operations import provision
from tests.contract.rigs import AT, MemoryRig, Rig, bring_up, local_rig, wanted
from tests.targets.local.by_hand import eventually

NAMES = {
    "database": "db", "cache": "sessions", "search": "finder",
    "objects": "uploads", "queue": "jobs", "mail": "post",
}  # fmt: skip
SPECS = {
    "database": DatabaseSpec, "cache": CacheSpec,
    "search": SearchSpec, "objects": ObjectsSpec,
    "queue": QueueSpec, "mail": MailSpec,
}  # fmt: skip
VARIABLES = {
    "database": {"DB_URL": r"mysql://.+:.+@.+:\d+/\w+", "DATABASE_URL": "mysql://.+"},
    "cache": {"SESSIONS_URL": r"rediss?://.+@.+:\d+/0", "REDIS_URL": "redis.+"},
    "search": {"FINDER_URL": "https?://.+", "OPENSEARCH_URL": "https?://.+"},
    "objects": {"UPLOADS_BUCKET": ".+uploads", "AWS_REGION": ".+"},
    "queue": {"JOBS_QUEUE_URL": "https?://.+/.*jobs", "AWS_REGION": ".+"},
    "mail": {"POST_URL": r"smtps?://.+:\d+", "SMTP_URL": "smtp.+", "POST_FROM": ".+@.+"},
}
"""The app contract: a variable's name, and what its value is like on every target."""
SECRET = {"database": "DB_URL", "cache": "SESSIONS_URL", "search": "FINDER_URL"}
"""Variables with a password in them."""


def everything() -> Wanted:
    """hello, using one resource of each type."""
    return _with(dict(NAMES))


def _with(names: dict[str, str]) -> Wanted:
    specs = {name: SPECS[kind](type=kind) for kind, name in names.items()}
    web = wanted().services["web"].model_copy(update={"resources": list(specs)})
    return wanted(services={"web": web}, resources=specs)


@pytest.fixture(scope="module", params=["memory", pytest.param("local", marks=pytest.mark.slow)])
def full(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A target on which everything is up. Tests leave it so."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "memory":
            rig = MemoryRig()
            bring_up(rig, everything())
            yield rig
        else:
            with local_rig(patch) as made:
                bring_up(made, everything())
                yield made


def test_every_type_is_among_them() -> None:
    assert set(NAMES) == set(VARIABLES) == set(SPECS) == set(TYPES)


@pytest.mark.parametrize("kind", NAMES)
def test_a_resource_is_healthy_and_says_where_it_is_and_what_it_does_not_promise(
    full: Rig, kind: str
) -> None:
    eventually(lambda: full.engine().observe(AT).resources[NAMES[kind]].healthy, "healthy")
    state = full.engine().observe(AT).resources[NAMES[kind]]

    assert state.type == kind
    assert state.endpoint
    assert state.durable or state.detail


def test_with_everything_up_nothing_is_left_to_change(full: Rig) -> None:
    eventually(lambda: full.engine().observe(AT).healthy, "healthy")
    assert bring_up(full, everything()) == []


@pytest.mark.parametrize("kind", NAMES)
def test_the_app_receives_what_the_contract_names(full: Rig, kind: str) -> None:
    told = full.variables("web", reveal=True)

    for name, form in VARIABLES[kind].items():
        assert re.fullmatch(form, told[name]), (name, told.get(name))


@pytest.mark.parametrize("kind", SECRET)
def test_a_password_is_shown_to_whoever_asks_for_it_only(full: Rig, kind: str) -> None:
    shown = full.variables("web", reveal=False)[SECRET[kind]]

    assert "********" in shown
    assert "********" not in full.variables("web", reveal=True)[SECRET[kind]]


@pytest.mark.parametrize("kind", NAMES)
def test_taking_a_resource_away_endangers_its_data_and_no_others(full: Rig, kind: str) -> None:
    rest = {k: name for k, name in NAMES.items() if k != kind}

    plan = full.engine().plan(_with(rest), AT)

    lost = {c.component for c in plan.endangered}
    assert kind in lost
    assert lost <= {kind, "database"}  # some keep what they know in the environment's database
    assert all(c.effect is Effect.DELETE for c in plan.endangered)
    with pytest.raises(Refused, match="would lose"):
        provision.refuse_data_loss(plan, AT.env, consent="")


@pytest.mark.parametrize("kind", NAMES)
def test_a_second_resource_of_a_type_leaves_the_first_alone_or_is_refused(
    full: Rig, kind: str
) -> None:
    want = everything()
    more = replace(want, resources={**want.resources, "another": SPECS[kind](type=kind)})

    try:
        plan = full.engine().plan(more, AT)
    except Refused as e:
        assert e.hint
        return

    assert any("another" in c.name for c in plan.changes if c.effect is Effect.CREATE)
    assert not plan.endangered
