"""What the loader takes, what it refuses, and how it says so."""

from pathlib import Path
from textwrap import dedent

import pytest

from cordillera.core.errors import CordilleraError, ManifestError, Refused
from cordillera.manifest import find, load, resolve

GOOD = """\
app: shop
services:
  web:
    command: serve
    public: true
    health: /healthz
    resources: [db]
    scale: {min: 2, max: 4}
resources:
  db: {type: database}
environments:
  acme/test: {target: local}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "cordillera.yaml"
    path.write_text(dedent(text))
    return path


def refusal(folder: Path, text: str) -> ManifestError:
    with pytest.raises(ManifestError) as found:
        find.with_environments(written(folder, text))
    return found.value


def every(error: CordilleraError) -> list[CordilleraError]:
    return list(getattr(error, "all", [error]))


def test_a_manifest_is_read_with_its_shorthands(tmp_path: Path) -> None:
    manifest = find.with_environments(written(tmp_path, GOOD))

    web = manifest.services["web"]
    assert web.health is not None
    assert (web.health.path, web.scale.max, web.memory) == ("/healthz", 4, 512 * 2**20)


BAD = {
    "an unknown key": ("scale: {min: 2, max: 4}", "scael: 2", "unknown key scael", "scale", "8:5"),
    "a wrong unit": ("scale: {min: 2, max: 4}", "memory: 12 parrots", "not a size", "", "8:5"),
    "an impossible range": ("{min: 2, max: 4}", "{min: 5, max: 4}", "greater than max", "", "8:5"),
    "a wrong type": ("public: true", "public: perhaps", "public", "", "5:5"),
    "a dangling resource": ("[db]", "[dbb]", "dbb", "db", "7:17"),
    "a resource of no type": ("{type: database}", "{}", "has no type", "database", "10:3"),
    "an unknown type": ("{type: database}", "{type: databse}", "databse", "database", "10:3"),
    "a bad environment name": ("acme/test:", "acme:", "acme", "", "12:3"),
    "a bad path": ("health: /healthz", "health: healthz", "health", "", "6:5"),
    "no command": ("command: serve", "port: 80", "command is missing", "", "3:3"),
    "no services": (GOOD[GOOD.index("services:") : GOOD.index("resources:\n")], "", "services", "", "1:1"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused_where_it_stands(tmp_path: Path, case: str) -> None:
    old, new, sentence, hint, place = BAD[case]
    assert old in GOOD

    found = every(refusal(tmp_path, GOOD.replace(old, new, 1)))

    assert any(sentence in str(e) and hint in e.hint for e in found), [
        (str(e), e.hint) for e in found
    ]
    assert f"cordillera.yaml:{place}" in [e.where for e in found], [e.where for e in found]
    assert {e.exit_status for e in found} == {2}


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("scale:", "scael:").replace("[db]", "[cache]").replace("public:", "pubic:")

    assert len(every(refusal(tmp_path, text))) >= 2


def test_a_key_twice_is_refused_with_both_places(tmp_path: Path) -> None:
    error = refusal(tmp_path, GOOD + "app: again\n")

    assert "twice; first in line 1" in str(error)
    assert error.where == "cordillera.yaml:13:1"


def test_what_is_not_yaml_is_refused(tmp_path: Path) -> None:
    assert "not YAML" in str(refusal(tmp_path, "app: [shop\n"))


def test_an_empty_file_is_refused_with_what_to_write(tmp_path: Path) -> None:
    assert "init" in refusal(tmp_path, "").hint


def test_a_circle_of_variables_is_refused(tmp_path: Path) -> None:
    circle = "health: /healthz\n    environment: {A: '${environment.B}', B: '${environment.A}'}"

    found = every(refusal(tmp_path, GOOD.replace("health: /healthz", circle)))

    assert any("A -> B -> A" in str(e) for e in found)


@pytest.mark.parametrize(
    "reference", ["resources.db.hots", "resources.cache.url", "services.api.url", "secrets.NO", "x"]
)
def test_a_reference_to_nothing_is_refused(tmp_path: Path, reference: str) -> None:
    text = GOOD.replace("health:", f"environment: {{A: '${{{reference}}}'}}\n    health:")

    assert any("refers to nothing" in str(e) for e in every(refusal(tmp_path, text)))


def test_an_environment_lays_its_keys_over_the_rest(tmp_path: Path) -> None:
    overlay = "  acme/test: {target: local, services: {web: {scale: 3, memory: 1G}}}\n"
    path = written(tmp_path, GOOD.replace("  acme/test: {target: local}\n", overlay))

    web = resolve.wanted(find.with_environments(path), "acme/test", tmp_path).services["web"]

    assert (web.scale.min, web.scale.max, web.memory, web.command) == (3, 3, 2**30, "serve")


def test_a_wrong_overlay_is_refused_where_it_stands(tmp_path: Path) -> None:
    overlay = "  acme/test: {target: local, services: {web: {scael: 3}}}"
    error = refusal(tmp_path, GOOD.replace("  acme/test: {target: local}", overlay))

    assert any("scael" in str(e) and e.where.startswith("cordillera.yaml:12") for e in every(error))


def test_an_unknown_environment_is_refused_with_the_nearest(tmp_path: Path) -> None:
    manifest = find.with_environments(written(tmp_path, GOOD))

    with pytest.raises(ManifestError) as found:
        resolve.wanted(manifest, "acme/tset", tmp_path)
    assert "acme/test" in found.value.hint


def test_an_environment_may_live_in_a_file_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    made = find.create_environment(
        path, "globex/production", target="local", folder=Path("environments")
    )

    assert made == tmp_path / "environments/globex-production.yaml"
    assert "globex/production" in find.with_environments(path).environments
    with pytest.raises(Refused):
        find.create_environment(
            path, "globex/production", target="local", folder=Path("environments")
        )


def test_an_environment_in_a_cloud_says_in_which_region(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    folder = Path("environments")
    find.create_environment(
        path, "globex/production", target="aws", folder=folder, region="eu-central-1"
    )

    found = find.with_environments(path).environments["globex/production"]
    assert (found.target, found.region) == ("aws", "eu-central-1")


def test_the_manifest_is_found_from_a_folder_below(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    below = tmp_path / "a/b"
    below.mkdir(parents=True)

    assert find.manifest_file(below) == tmp_path / "cordillera.yaml"


def test_no_manifest_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as found:
        load.load(tmp_path / "cordillera.yaml", [])
    assert "init" in found.value.hint
