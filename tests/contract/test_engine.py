"""What every target's engine promises."""

import pytest

from cordillera.components.cache import CacheSpec
from cordillera.components.protocol import Effect
from cordillera.core.clock import SystemClock
from cordillera.core.errors import CordilleraError, Refused
from cordillera.operations import provision
from tests.contract.rigs import AT, Rig, bring_up, wanted


def test_a_plan_of_something_new_creates_everything_and_touches_nothing(rig: Rig) -> None:
    plan = rig.engine().plan(wanted(), AT)

    assert plan.changes
    assert {c.effect for c in plan.changes} == {Effect.CREATE}
    assert rig.leftovers() == []


def test_up_makes_it_healthy_and_up_again_changes_nothing(rig: Rig) -> None:
    bring_up(rig, wanted())

    state = rig.engine().observe(AT)
    assert state.healthy, state
    assert state.services["web"].healthy == 2
    assert {"a", "b", "witness"} <= set(state.zones)
    assert bring_up(rig, wanted()) == []


def test_a_changed_service_changes_nothing_that_holds_data(rig: Rig) -> None:
    bring_up(rig, wanted(resources={"cache": CacheSpec(type="cache")}))
    web = wanted().services["web"].model_copy(update={"environment": {"GREETING": "hola"}})

    plan = rig.engine().plan(
        wanted(services={"web": web}, resources={"cache": CacheSpec(type="cache")}), AT
    )

    assert plan.changes
    assert {c.component for c in plan.changes} <= {"service", "balancer", "lookout"}
    assert not any(c.holds_data for c in plan.changes)


def test_taking_a_resource_away_is_refused_without_its_environments_name(rig: Rig) -> None:
    bring_up(rig, wanted(resources={"cache": CacheSpec(type="cache")}))

    plan = rig.engine().plan(wanted(), AT)

    assert plan.endangered
    with pytest.raises(Refused, match="would lose"):
        provision.refuse_data_loss(plan, AT.env, consent="")
    with pytest.raises(Refused, match="would lose"):
        provision.refuse_data_loss(plan, AT.env, consent="another/one")
    provision.refuse_data_loss(plan, AT.env, consent=AT.env)


def test_a_dead_copy_is_seen_planned_and_healed(rig: Rig) -> None:
    bring_up(rig, wanted())
    victim = rig.engine().observe(AT).services["web"].copies[0].name
    rig.kill_copy(victim)

    state = rig.engine().observe(AT)
    assert not state.healthy
    assert state.services["web"].healthy == 1
    assert bring_up(rig, wanted()) == [f"service/{victim}"]
    assert rig.engine().observe(AT).healthy


def test_everything_killed_comes_back_with_up(rig: Rig) -> None:
    bring_up(rig, wanted())
    rig.kill_everything()

    assert not rig.engine().observe(AT).healthy
    bring_up(rig, wanted())
    assert rig.engine().observe(AT).healthy


def test_down_ends_everything_and_up_brings_it_back(rig: Rig) -> None:
    bring_up(rig, wanted())
    rig.engine().stop(AT)
    rig.engine().stop(AT)

    state = rig.engine().observe(AT)
    assert not state.healthy
    assert state.services["web"].running == 0
    bring_up(rig, wanted())
    assert rig.engine().observe(AT).healthy


def test_destroy_leaves_nothing(rig: Rig) -> None:
    bring_up(rig, wanted(resources={"cache": CacheSpec(type="cache")}))
    rig.engine().destroy(AT)

    assert rig.leftovers() == []
    with pytest.raises(CordilleraError, match="no environment"):
        rig.engine().observe(AT)


def test_a_plan_is_refused_when_the_world_moved_since(rig: Rig) -> None:
    engine = rig.engine()
    old = engine.plan(wanted(), AT)
    bring_up(rig, wanted())

    with pytest.raises(Refused, match="changed since"):
        provision.apply(engine, old, lambda _: None, clock=SystemClock(), token="late")
