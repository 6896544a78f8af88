"""A first manifest: it loads as it is, and it tells what it could not carry over."""

from pathlib import Path

import pytest

from cordillera.core.errors import ManifestError
from cordillera.manifest import explain, find, from_compose, init

COMPOSE = """\
services:
  web:
    build: .
    command: gunicorn shop.wsgi --bind 0.0.0.0:8000
    ports: ["8000:8000"]
    depends_on: [db, redis]
    environment:
      DATABASE_URL: mysql://app:hunter2@db:3306/shop
      REDIS_HOST: redis
      SECRET_KEY: in-clear
      PRICE: 5$
    deploy: {replicas: 3}
    volumes: ["./media:/media"]
  db: {image: "mariadb:10.11"}
  redis: {image: redis}
  pg: {image: "postgres:16"}
"""


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({}, "http.server"),
        ({"Procfile": "web: serve $PORT\n"}, "serve $PORT"),
        ({"package.json": "{}"}, "npm start"),
        ({"manage.py": "", "shop/wsgi.py": "", "requirements.txt": "django"}, "gunicorn shop.wsgi"),
        ({"index.php": ""}, "php -S"),
    ],
)
def test_a_first_manifest_loads(tmp_path: Path, files: dict[str, str], command: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    path = tmp_path / "cordillera.yaml"
    path.write_text(init.first_manifest(tmp_path))

    assert command in find.with_environments(path).services["web"].command


def test_a_compose_file_becomes_services_and_resources(tmp_path: Path) -> None:
    compose, path = tmp_path / "compose.yaml", tmp_path / "cordillera.yaml"
    compose.write_text(COMPOSE)

    text, remarks = from_compose.from_compose(compose)
    path.write_text(text)

    manifest = find.with_environments(path)
    web = manifest.services["web"]
    kinds = {name: spec.type for name, spec in manifest.resources.items()}
    assert kinds == {"db": "database", "redis": "cache"}
    assert web.environment["DATABASE_URL"] == "${resources.db.url}"
    assert web.environment["REDIS_HOST"] == "${resources.redis.host}"
    assert web.environment["PRICE"] == "5$$"
    assert [s.name for s in web.secrets] == ["SECRET_KEY"]
    assert (web.scale.min, web.public, web.command) == (
        3,
        True,
        "gunicorn shop.wsgi --bind $HOST:$PORT",
    )
    assert "in-clear" not in text
    assert "hunter2" not in text
    assert any("postgres" in remark for remark in remarks)
    assert any("volumes" in remark for remark in remarks)


def test_a_procfile_becomes_services(tmp_path: Path) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text("web: serve\nworker: work\nrelease: migrate\n")

    text, _ = from_compose.from_compose(procfile)
    path = tmp_path / "cordillera.yaml"
    path.write_text(text)

    services = find.with_environments(path).services
    assert services["web"].release == "migrate"
    assert not services["worker"].public


def test_what_is_no_compose_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("nothing: here\n")

    with pytest.raises(ManifestError):
        from_compose.from_compose(tmp_path / "x.yaml")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("services.web.health.every", ["span", "2s", "at least 100ms"]),
        ("services.web.memory", ["size", "512M"]),
        ("edge.firewall.level", ["`standard` or `strict`"]),
        ("resources.db", ["database", "backups"]),
        ("", ["services", "environments"]),
    ],
)
def test_a_key_is_explained(key: str, words: list[str]) -> None:
    for word in words:
        assert word in explain.explain(key)


def test_an_unknown_key_is_not_explained_but_corrected() -> None:
    with pytest.raises(ManifestError) as found:
        explain.explain("services.web.helth")
    assert "health" in found.value.hint
