"""A password is changed while copies go on: nobody is locked out, wherever the command is killed.

The database and its secret are a model (`passwords`); no real AWS was reachable when this was written.
"""

import contextlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordillera.components.wanted import Wanted
from cordillera.core.errors import CordilleraError, ManifestError, NotReady, Refused
from cordillera.targets.aws import _client, _database_rotation, database
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import APP, RELEASE, site_of
from cordillera.targets.local._verbs import LocalVerbs
from tests.targets.aws import answers, examples
from tests.targets.aws.passwords import CURRENT, PENDING, PREVIOUS, Copy, Killed, World, killings


@pytest.fixture(scope="module")
def want(tmp_path_factory: pytest.TempPathFactory) -> Wanted:
    return examples.wanted("newsroom", tmp_path_factory.mktemp("newsroom"))


@pytest.fixture(scope="module")
def aws() -> Iterator[answers.Aws]:
    """Clients for all worlds, one after the other: making them is what takes time."""
    with pytest.MonkeyPatch.context() as patch:
        made = answers.install(patch)
        patch.setattr(_client, "_made", cache(_client._made))
        yield made


def world_behind(aws: answers.Aws) -> World:
    """A world of its own; whoever asks AWS asks it from now on."""
    world = World()
    aws.answers = world.answers()
    return world


@pytest.fixture
def world(aws: answers.Aws) -> World:
    return world_behind(aws)


def rotate(want: Wanted) -> None:
    _database_rotation.rotate("db", Live(site_of(want)))


def up(want: Wanted, world: World) -> None:
    """What `up` does that a password is part of: hooks as they are, stacks as the world has them."""
    live = Live(site_of(want))
    database.Database().before(RELEASE, want, live)
    world.release()
    world.end()
    database.Database().after(APP, want, live)


def killed(world: World, at: int | None, command: Callable[[], None]) -> bool:
    """Whether the command was killed, and not done before that."""
    world.calls, world.kill_at = 0, at
    try:
        command()
    except Killed:
        return True
    finally:
        world.kill_at = None
    return False


def test_copies_that_run_go_on_and_new_ones_get_the_new_password(
    world: World, want: Wanted
) -> None:
    rotate(want)

    assert world.current != "one" and len(world.current) == 40
    assert (world.first, world.second) == (world.current, "one")
    assert set(world.stages) == {CURRENT, PREVIOUS}


def test_the_password_before_is_taken_until_the_next_rotation(world: World, want: Wanted) -> None:
    rotate(want)
    up(want, world)
    assert {copy.password for copy in world.copies} == {world.current}
    assert world.second == "one"

    rotate(want)
    assert "one" not in (world.first, world.second)


def test_a_second_rotation_is_refused_until_services_have_the_password(
    world: World, want: Wanted
) -> None:
    rotate(want)
    after_one = world.current
    with pytest.raises(Refused, match="web would be locked out") as told:
        rotate(want)
    up(want, world)
    rotate(want)

    assert "cordillera up" in told.value.hint
    assert world.current != after_one


def test_a_copy_that_is_still_ending_keeps_its_password(world: World, want: Wanted) -> None:
    rotate(want)
    world.release()
    with pytest.raises(
        NotReady, match="copies of web that have the password of db that was before"
    ):
        rotate(want)
    assert world.second == "one"

    world.end()
    rotate(want)
    assert world.second != "one"


def test_a_command_that_was_begun_before_keeps_its_password(world: World, want: Wanted) -> None:
    rotate(want)
    up(want, world)
    world.copies.append(Copy("one", "web:1"))

    with pytest.raises(Refused, match="web would be locked out"):
        rotate(want)

    assert world.second == "one"


def test_what_a_release_may_go_back_to_keeps_its_password(world: World, want: Wanted) -> None:
    rotate(want)
    up(want, world)
    world.releasing = True

    with pytest.raises(NotReady, match="a release is under way"):
        rotate(want)

    assert world.second == "one"


def test_what_was_made_before_there_were_labels_is_not_locked_out(
    world: World, want: Wanted
) -> None:
    world.unlabelled = {"web:1"}
    with pytest.raises(Refused, match="web would be locked out"):
        rotate(want)
    assert world.first == "one"

    up(want, world)
    rotate(want)
    assert world.second == "one"


def test_services_that_use_no_database_hold_nothing_up(world: World, want: Wanted) -> None:
    login = {"name": "SES_USER", "valueFrom": "login:username::"}
    world.others = {
        "mail:1": {
            "name": "mail",
            "secrets": [login],
            "dockerLabels": {"cordillera.secrets": "resources.mail.password=x"},
        },
        "static:1": {"name": "static"},
    }

    rotate(want)

    assert world.current != "one"


def test_a_secret_that_was_deleted_by_hand_is_told(world: World, want: Wanted) -> None:
    world.gone = True

    with pytest.raises(CordilleraError, match="the password of db is gone") as told:
        rotate(want)

    assert told.value.hint


def test_killed_anywhere_and_repeated_a_rotation_ends_right(aws: answers.Aws, want: Wanted) -> None:
    whole = world_behind(aws)
    rotate(want)

    for at in killings(whole.calls):
        world = world_behind(aws)
        assert killed(world, at, lambda: rotate(want))
        world.start()
        rotate(want)
        assert (world.first, world.second) == (world.current, "one"), f"killed at {at}"
        assert len(world.versions) == 2 and PENDING not in world.stages, f"killed at {at}"


@pytest.mark.parametrize("rotated", [False, True])
@pytest.mark.parametrize("first", ["rotation", "up"])
def test_an_up_and_a_rotation_on_two_machines_end_right(
    aws: answers.Aws, want: Wanted, first: str, rotated: bool
) -> None:
    """`rotated`: all copies have a password that is not the first ever, and the one before is still taken."""

    def begun() -> World:
        world = world_behind(aws)
        if rotated:
            rotate(want)
            world.release()
            world.end()
            world.calls = 0
        return world

    def act(what: str, world: World) -> None:
        rotate(want) if what == "rotation" else up(want, world)

    other = "up" if first == "rotation" else "rotation"
    alone = begun()
    act(first, alone)

    for at in range(1, alone.calls + 1):
        world = begun()
        before = world.current
        world.elsewhere = (at, partial(act, other, world))
        act(first, world)
        world.busy = False
        assert world.elsewhere is None and world.refused() == [], f"at {at}"
        assert world.current != before and PENDING not in world.stages, f"at {at}"


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["rotate", "up", "start"]),
            st.one_of(st.none(), st.integers(2, 60)),
        ),
        max_size=6,
    ),
    st.booleans(),
)
def test_nobody_is_ever_locked_out(
    aws: answers.Aws, want: Wanted, days: list[tuple[str, int | None]], tidy: bool
) -> None:
    """The world looks after every call whether all passwords that somebody has are taken."""
    world = world_behind(aws)
    world.tidy = tidy
    for what, at in days:
        if what == "start":
            world.start()
        elif what == "up":
            killed(world, at, lambda: up(want, world))
        else:
            with contextlib.suppress(Refused, NotReady):
                killed(world, at, lambda: rotate(want))
    up(want, world)
    rotate(want)
    up(want, world)

    assert world.first == world.current and PENDING not in world.stages
    assert {copy.password for copy in world.copies} == {world.current}


def test_what_is_no_database_or_has_a_proxy_is_refused(tmp_path: Path, want: Wanted) -> None:
    with pytest.raises(ManifestError, match="no database called cache") as told:
        database.refuse_unless_rotated("cache", want)
    assert told.value.hint == "one of: db"

    behind = examples.wanted("newsroom", tmp_path, resources={"db": {"proxy": True}})
    with pytest.raises(Refused, match="the proxy before db takes one password only"):
        database.refuse_unless_rotated("db", behind)


def test_on_local_it_is_not_offered_and_says_what_to_do() -> None:
    with pytest.raises(CordilleraError, match="not offered on local") as told:
        LocalVerbs().rotate_secret("acme/test", "db")

    assert "cordillera destroy" in told.value.hint
