"""The published schema and reference say what the loader does."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from cordillera.components.base import Section
from cordillera.core.errors import ManifestError
from cordillera.manifest import find, reference, schema
from cordillera.manifest.meanings import meanings

ROOT = Path(__file__).parents[2]
SERVICE = {"command": "serve"}


def sections() -> list[type[Section]]:
    return list(schema.below(Section))


def manifest(**keys: Any) -> dict[str, Any]:
    return {"app": "shop", "services": {"web": SERVICE}, **keys}


def service(**keys: Any) -> dict[str, Any]:
    return manifest(services={"web": {**SERVICE, **keys}})


ACCEPTED = [
    manifest(),
    service(scale=3),
    service(scale={"min": 1, "max": 2, "target": {"cpu": "60%"}}),
    service(scale={"target": {"cpu": 60, "queue": {"jobs": 5}}}),
    service(health="/x"),
    service(health={"path": "/x", "every": "500ms", "timeout": 1}),
    service(secrets=["A", {"name": "B", "generate": True}]),
    service(memory="1G", cpu=0.5, stop_grace="1m"),
    service(memory=2**27, environment={"A": 1, "B": True, "C": "x"}),
    manifest(resources={"db": {"type": "database", "backups": {"window": "04:00-05:00"}}}),
    manifest(resources={"m": {"type": "mail", "providers": ["ses", {"name": "x", "host": "h"}]}}),
    manifest(
        resources={
            "m": {"type": "mail", "from": "a@b.example", "streams": {"bulk": {"rate": "5/m"}}}
        }
    ),
    manifest(resources={"q": {"type": "queue", "fifo": True, "dead_letter": {"after": 3}}}),
    manifest(
        edge={"domains": ["a.example"], "cache": ["/static/*"], "firewall": {"level": "strict"}}
    ),
    manifest(watch={"alarms": {"x": {"metric": "m", "above": 5, "for": "5m"}}}),
    manifest(environments={"acme/test": {"services": {"web": {"scale": 4}}}}),
]
REFUSED: list[Any] = [
    {},
    {"app": "shop"},
    manifest(app="Shop!"),
    manifest(extra=1),
    manifest(services={}),
    manifest(services={"Web": SERVICE}),
    service(scael=2),
    service(scale=0),
    service(scale={"min": 0}),
    service(scale="many"),
    service(health="x", public=True, port=0),
    service(health={"every": "5 parrots"}),
    service(memory="12 parrots"),
    service(stop_grace="soon"),
    service(cpu=0),
    service(environment={"1A": "x"}),
    service(resources="db"),
    manifest(resources={"db": {"type": "databse"}}),
    manifest(resources={"db": {}}),
    manifest(resources={"u": {"type": "objects", "public": ["/media"]}}),
    manifest(edge={"cache": ["static"]}),
    manifest(edge={"firewall": {"level": "lax"}}),
    manifest(environments={"acme": {}}),
    manifest(environments={"acme/test": {"zones": 1}}),
]


@pytest.fixture(scope="module")
def published() -> Draft202012Validator:
    return Draft202012Validator(schema.schema())


def loads(tmp_path: Path, data: object) -> bool:
    path = tmp_path / "cordillera.yaml"
    path.write_text(yaml.safe_dump(data))
    try:
        find.with_environments(path)
    except ManifestError:
        return False
    return True


@pytest.mark.parametrize("data", ACCEPTED)
def test_both_accept(published: Draft202012Validator, tmp_path: Path, data: object) -> None:
    errors = [e.message for e in published.iter_errors(data)]

    assert errors == []
    assert loads(tmp_path, data)


@pytest.mark.parametrize("data", REFUSED)
def test_both_refuse(published: Draft202012Validator, tmp_path: Path, data: object) -> None:
    assert not published.is_valid(data)
    assert not loads(tmp_path, data)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*/cordillera.yaml")), ids=str)
def test_examples_follow_the_schema(published: Draft202012Validator, path: Path) -> None:
    published.validate(yaml.safe_load(path.read_text()))
    find.with_environments(path)


@pytest.mark.parametrize("section", sections(), ids=lambda one: one.__name__)
def test_defaults_that_nobody_validated_are_what_would_have_been_written(
    section: type[Section],
) -> None:
    for field in section.model_fields.values():
        if isinstance(field.default, Section):
            written = field.default.model_dump(by_alias=True, exclude_unset=True)
            assert type(field.default).model_validate(written) == field.default


def test_every_key_means_something() -> None:
    assert [s for s in sections() if not all(meanings(s).values())] == []


def test_the_published_schema_is_fresh() -> None:
    assert schema.FILE.read_text() == schema.text(), "run `make docs`"


def test_the_reference_is_fresh() -> None:
    assert (ROOT / "docs/manifest.md").read_text() == reference.text(), "run `make docs`"
