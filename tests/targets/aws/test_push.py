"""Images: built once for a release, for the right processor, pushed with a password on standard input."""

import base64
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from cordillera.core.errors import CommandFailed
from cordillera.targets.aws import _push
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import site_of
from tests.targets.aws import answers, examples
from tests.targets.aws.answers import Refusal

REPOSITORY = "111111111111.dkr.ecr.us-east-1.amazonaws.com/cordillera/acme/production/web"
ENGINE = """\
#!/bin/sh
echo "$@" >> "$RECORD"
[ "$1" = login ] && cat >> "$RECORD.password"
[ "$1" = build ] && for last; do :; done && ls "$last" >> "$RECORD.context"
[ "$1" = "$BROKEN" ] && echo "no space left on device" >&2 && exit 1
exit 0
"""
TOKEN = {
    "authorizationData": [
        {
            "authorizationToken": base64.b64encode(b"AWS:word").decode(),
            "proxyEndpoint": "https://111111111111.dkr.ecr.us-east-1.amazonaws.com",
        }
    ]
}


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A container engine that notes what it is asked."""
    path = tmp_path / "bin/docker"
    path.parent.mkdir()
    path.write_text(ENGINE)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    record = tmp_path / "record"
    record.write_text("")
    monkeypatch.setenv("RECORD", str(record))
    monkeypatch.setenv("BROKEN", "")
    monkeypatch.setattr(_push, "engine", lambda: str(path))
    return record


def push(to: Path, monkeypatch: pytest.MonkeyPatch, found: answers.Answer, **more: Any) -> None:
    build = {"build": {"dockerfile": "Dockerfile"}, **more}
    want = examples.wanted("hello", to, services={"web": build})
    (want.folder / "Dockerfile").write_text("FROM scratch\n")
    answers.install(monkeypatch, ecr__DescribeImages=found, ecr__GetAuthorizationToken=TOKEN)
    monkeypatch.setattr(Live, "output", lambda self, ref: REPOSITORY)
    _push.push("web", want, Live(site_of(want)))


MISSING = Refusal("ImageNotFoundException")


def test_an_image_is_built_pushed_and_not_kept(
    engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(tmp_path, monkeypatch, MISSING, architecture="arm64")

    image = f"{REPOSITORY}:{examples.RELEASE}"
    said = engine.read_text().splitlines()
    assert said[0].startswith("login --username AWS --password-stdin 111111111111.dkr.ecr")
    assert said[1].startswith("build --quiet --platform linux/arm64 --file ")
    assert said[2:] == [f"push {image}", f"image rm --force {image}"]
    assert "password\n" not in engine.read_text() and "AWS:word" not in engine.read_text()
    assert Path(f"{engine}.password").read_text() == "word"


def test_the_engine_sees_what_the_release_consists_of_and_no_more(
    engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(tmp_path, monkeypatch, MISSING)

    context = Path(f"{engine}.context").read_text().split()
    assert "app.py" in context
    assert "cordillera.yaml" not in context


def test_a_release_that_is_there_is_not_built_again(
    engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(tmp_path, monkeypatch, {"imageDetails": [{"imageTags": [examples.RELEASE]}]})

    assert engine.read_text() == ""


def test_a_build_that_fails_is_told_with_its_last_line(
    engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKEN", "build")

    with pytest.raises(CommandFailed, match="no space left on device"):
        push(tmp_path, monkeypatch, MISSING)


@pytest.mark.skipif(shutil.which("podman") is None, reason="no container engine")
@pytest.mark.slow
def test_a_real_engine_builds_it(tmp_path: Path) -> None:
    want = examples.wanted("hello", tmp_path, services={"web": {"build": {"dockerfile": "File"}}})
    (want.folder / "File").write_text("FROM scratch\nCOPY app.py /app.py\n")
    if _push.engine() is None:
        pytest.skip("no container engine answers")
    image = "localhost/cordillera-test:push"

    _push.build(want.services["web"], want.folder, image)

    assert image.split(":")[0].split("/")[1] in _push._ask("image", "ls")
    _push._ask("image", "rm", "--force", image)
