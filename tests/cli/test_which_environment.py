"""Which environment a command acts on: one that changes something never chooses what happens to be up."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from tests.cli import run
from tests.cli.run import MANIFEST, Shell

from cordillera.cli.main import app
from cordillera.cli.which import KINDS, Kind
from cordillera.components.service import ServiceSpec
from cordillera.components.wanted import Wanted
from cordillera.targets.local import _intent
from cordillera.targets.local._verbs import LocalVerbs

NAME = "acme/test"
WORDS = {
    "run": ("web", "--", "true"),
    "secrets set": ("TOKEN", "--generate"),
    "secrets rm": ("TOKEN",),
    "secrets get": ("TOKEN",),
    "secrets rotate": ("db",),
    "zone lose": ("b",),
    "zone return": ("b",),
    "vars": ("web",),
}
"""What a command needs besides the environment."""
NEEDS_MANIFEST = ("up", "plan", "eject")
CHANGING = [word for word, kind in KINDS.items() if kind not in (Kind.NONE, Kind.READS)]
CHOOSING = [w for w, kind in KINDS.items() if kind is Kind.READS and w not in NEEDS_MANIFEST]


def remembered(shell: Shell, **more: object) -> Wanted:
    """An environment that a stranger brought up and left without processes."""
    want = Wanted(
        app="hello",
        environment=NAME,
        folder=Path("/srv/newsroom"),
        services={"web": ServiceSpec(command="true", public=True)},
        releases={"web": "r1"},
        asked_by="maria",
    )
    want = replace(want, **more)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORDILLERA_HOME", str(shell.home))
        _intent.save(_intent.Intent(NAME, 1, "loopback", "127.0.0.1:8443"))
        _intent.save_wanted(want)
    return want


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Shell]:
    """An empty folder on a machine with one environment, brought up by maria from another folder."""
    with run.shell(tmp_path) as shell:
        remembered(shell)
        secret = shell.here("--env", NAME, "secrets", "set", "TOKEN", "--generate")
        assert secret.returncode == 0, secret.stderr
        yield shell
        shutil.rmtree(shell.home / "state", ignore_errors=True)  # nothing of it ever ran


def world(shell: Shell) -> dict[str, bytes]:
    """All that is remembered of environments."""
    return {str(p): p.read_bytes() for p in sorted(shell.home.rglob("*")) if p.is_file()}


def stopped(shell: Shell) -> bool:
    memory = json.loads((shell.home / "state" / NAME / "intent.json").read_text())
    return bool(memory["stopped"])


def commands(group: object, before: str = "") -> Iterator[str]:
    """Every command's words."""
    for name, one in getattr(group, "commands", {}).items():
        if hasattr(one, "commands"):
            yield from commands(one, f"{before}{name} ")
        else:
            yield f"{before}{name}"


def test_every_command_says_whether_it_changes_something() -> None:
    assert set(commands(typer.main.get_command(app))) == set(KINDS)


@pytest.mark.parametrize("word", CHANGING)
def test_what_changes_something_does_not_choose_what_is_up(word: str, empty: Shell) -> None:
    before = world(empty)

    done = empty.here(*word.split(), *WORDS.get(word, ()))

    assert done.returncode == 2, done.stdout
    assert "\n  try: " in done.stderr
    assert world(empty) == before


@pytest.mark.parametrize("word", CHANGING)
def test_what_another_manifest_names_is_no_choice_either(word: str, empty: Shell) -> None:
    empty.manifest(MANIFEST.replace(NAME, "globex/one") + "  globex/two: {target: local}\n")
    before = world(empty)

    done = empty.here(*word.split(), *WORDS.get(word, ()))

    assert done.returncode == 2, done.stdout
    assert NAME not in done.stderr or word in ("zone lose", "zone return", "rehearse load")
    assert world(empty) == before


@pytest.mark.parametrize("word", CHOOSING)
def test_what_reads_chooses_and_says_which(word: str, empty: Shell) -> None:
    done = empty.here(*word.split(), *WORDS.get(word, ()))

    assert done.returncode in (0, 1), done.stderr
    assert done.stderr.splitlines()[0] == f"{NAME}, chosen because no other can be meant"


def test_what_is_for_programs_stays_so(empty: Shell) -> None:
    done = empty.here("status", "--json")

    assert json.loads(done.stdout)["environment"] == NAME


def test_what_reads_says_nothing_of_what_the_manifest_names(empty: Shell) -> None:
    empty.manifest()

    assert "chosen" not in empty.here("status").stderr


def test_the_refusal_tells_the_line_to_type(empty: Shell) -> None:
    done = empty.here("down")

    assert "no environment is named, and this folder has no cordillera.yaml" in done.stderr
    assert f"cordillera down {NAME}" in done.stderr


def test_two_names_are_one_too_many(empty: Shell) -> None:
    assert empty.here("--env", "globex/test", "down", NAME).returncode == 2


@pytest.mark.parametrize("words", [("down",), ("destroy",)])
@pytest.mark.parametrize("manifest", [False, True])
def test_what_somebody_else_brought_up_is_told_with_folder_and_user(
    words: tuple[str, ...], manifest: bool, empty: Shell
) -> None:
    if manifest:
        empty.manifest()
    before = world(empty)

    done = empty.here(*words, *(() if manifest else (NAME,)))

    assert done.returncode == 3
    assert "was brought up from /srv/newsroom by maria" in done.stderr
    assert world(empty) == before


def test_a_flag_without_the_name_is_no_answer(empty: Shell) -> None:
    empty.manifest()
    before = world(empty)

    assert empty.here("down", "--yes").returncode == 3
    assert empty.here("destroy", "--yes-delete-data", NAME).returncode == 3
    assert world(empty) == before


@pytest.mark.parametrize("words", [("down", NAME), ("destroy", NAME)])
def test_a_person_is_asked_and_no_leaves_it(words: tuple[str, ...], empty: Shell) -> None:
    before = world(empty)

    done = empty.here(*words, typed="n\n")

    assert done.returncode == 3
    assert "was brought up from /srv/newsroom by maria" in done.stdout + done.stderr
    assert world(empty) == before


def test_a_person_who_says_yes_stops_it(empty: Shell) -> None:
    assert empty.here("down", NAME, typed="y\n").returncode == 0
    assert stopped(empty)


def test_the_flag_and_the_name_stop_it(empty: Shell) -> None:
    assert empty.here("down", NAME, "--yes").returncode == 0
    assert stopped(empty)


def test_one_ones_own_is_stopped_without_a_question(empty: Shell) -> None:
    empty.manifest()
    empty.variables["SUDO_USER"] = "maria"
    remembered(empty, folder=empty.folder)

    assert empty.here("down").returncode == 0
    assert stopped(empty)


def test_the_same_folder_and_another_user_is_asked_for(empty: Shell) -> None:
    empty.manifest()
    empty.variables["SUDO_USER"] = "paul"
    remembered(empty, folder=empty.folder)

    assert "by maria" in empty.here("down").stderr
    assert not stopped(empty)


def test_what_an_older_version_brought_up_has_an_unknown_user(empty: Shell) -> None:
    memory = empty.home / "state" / NAME / "wanted.json"
    old = json.loads(memory.read_text())
    memory.write_text(
        json.dumps({k: v for k, v in old.items() if k not in ("asked_by", "rehearsal")})
    )

    assert "from /srv/newsroom by an unknown user" in empty.here("down", NAME).stderr


@pytest.mark.parametrize("words", [("zone", "lose", "b"), ("rehearse", "load", "--lose", "b")])
def test_a_loss_needs_a_manifest_that_allows_it(words: tuple[str, ...], empty: Shell) -> None:
    before = world(empty)

    done = empty.here("--env", NAME, *words)

    assert done.returncode == 3
    assert "not for rehearsals" in done.stderr
    assert "rehearsal: true" in done.stderr
    assert world(empty) == before


def test_the_folders_manifest_allows_nothing_for_what_another_brought_up(empty: Shell) -> None:
    empty.manifest(MANIFEST.replace("{target: local}", "{target: local, rehearsal: true}"))

    assert empty.here("--env", NAME, "zone", "lose", "b").returncode == 3


def test_where_it_is_allowed_a_zone_that_there_is_not_is_refused_with_the_list(
    empty: Shell,
) -> None:
    remembered(empty, rehearsal=True)

    done = empty.here("--env", NAME, "zone", "lose", "z")

    assert "has no zone called z" in done.stderr


def test_giving_a_zone_back_needs_the_name_alone(empty: Shell) -> None:
    assert "has no zone called z" in empty.here("--env", NAME, "zone", "return", "z").stderr


def test_an_up_that_changes_nothing_still_remembers_who_and_what_for(
    empty: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORDILLERA_HOME", str(empty.home))
    was = remembered(empty)

    LocalVerbs().remember(
        replace(was, folder=empty.folder, asked_by="paul", rehearsal=True, releases={})
    )

    now = LocalVerbs().again(NAME)
    assert (now.folder, now.asked_by, now.rehearsal) == (empty.folder, "paul", True)
    assert now.releases == was.releases
