"""Services from container images: a real engine builds them, the zone runs them."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli import run
from tests.cli.run import Shell

from cordillera.core.process import is_root
from cordillera.targets.local import _image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_root(), reason="an image's files become a copy's root: needs root"),
    pytest.mark.skipif(_image.engine() is None, reason="neither Docker nor Podman answers here"),
]
BUSYBOX = "/bin/busybox"
DOCKERFILE = """\
FROM scratch
COPY . /
ENV GREETING=hello WHO=nobody
WORKDIR /site
ENTRYPOINT ["/bin/sh", "/site/start"]
CMD ["/bin/sh", "/site/serve"]
"""
START = """\
export SAID="${SAID:-by itself}"
exec "$@"
"""
SERVE = """\
/bin/busybox mkdir -p /tmp/www/cgi-bin
cat > /tmp/www/cgi-bin/me <<'END'
#!/bin/sh
echo "Content-Type: text/plain"; echo; echo "$SAID"; echo "$GREETING $WHO"; /bin/busybox id -u
/bin/busybox ls /
END
/bin/busybox chmod +x /tmp/www/cgi-bin/me
echo well > /tmp/www/index.html
exec /bin/busybox httpd -f -p "$HOST:$PORT" -h /tmp/www
"""
MANIFEST = """\
app: boxed
services:
  web:
    build: {{context: app, dockerfile: Dockerfile}}
    public: true
    health: /
    scale: 2
    environment: {{WHO: {who}}}
environments:
  boxed/test: {{target: local}}
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell beside a Dockerfile; images that were made are gone at the end."""
    with run.shell(tmp_path) as made:
        _fill(made.folder / "app")
        yield made
    for image in ("boxed:1", *images()):
        _image.drop(image)


def _fill(app: Path) -> None:
    for name in ("bin", "site"):
        (app / name).mkdir(parents=True)
    for name in ("busybox", "sh", "cat"):
        shutil.copy(BUSYBOX, app / "bin" / name)
    (app / "site/start").write_text(START)
    (app / "site/serve").write_text(SERVE)
    (app / "Dockerfile").write_text(DOCKERFILE)


def images() -> list[str]:
    """Images that releases were built as."""
    argv = [_image.engine() or "", "images", "--format", "{{.Repository}}:{{.Tag}}"]
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return [line for line in told.splitlines() if "cordillera:" in line]


def page(shell: Shell) -> list[str]:
    """What the app says, through the balancer."""
    url = json.loads(shell.run("status", "--json").stdout)["url"]
    argv = ["curl", "-sSk", "--max-time", "10", f"{url}/cgi-bin/me"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_dockerfile_is_built_runs_unprivileged_and_leaves_nothing(shell: Shell) -> None:
    shell.manifest(MANIFEST.format(who="world"))
    done = shell.run("up")
    assert done.returncode == 0, done.stderr

    said, greeting, uid, *seen = page(shell)
    assert (said, greeting) == ("by itself", "hello world")
    assert int(uid) > 0
    assert set(seen) <= {"Dockerfile", "bin", "dev", "etc", "proc", "run", "site", "sys", "tmp"}
    assert json.loads(shell.run("plan", "--json").stdout)["changes"] == []

    (shell.folder / "app/site/start").write_text(START.replace("by itself", "again"))
    assert shell.run("up").returncode == 0
    assert page(shell)[0] == "again"

    assert shell.run("destroy", "--yes-delete-data", "boxed/test").returncode == 0
    assert images() == []
    assert str(shell.home) not in Path("/proc/self/mounts").read_text()


def test_an_image_by_name_with_a_command_of_the_manifest(shell: Shell) -> None:
    _image.build("Dockerfile", shell.folder / "app", "boxed:1")
    service = "    image: localhost/boxed:1\n    command: SAID=told exec sh /site/serve\n    public: true\n"
    before, _, after = MANIFEST.format(who="you").partition("    build:")
    shell.manifest(before + service + after.partition("public: true\n")[2])

    done = shell.run("up")

    assert done.returncode == 0, done.stderr
    assert page(shell)[:2] == ["told", "hello you"]


def test_an_image_that_nobody_has_is_named_and_nothing_is_touched(shell: Shell) -> None:
    before, _, after = MANIFEST.format(who="you").partition("    build:")
    shell.manifest(before + "    image: localhost/no/such:1\n" + after.partition("\n")[2])

    done = shell.run("up")

    assert done.returncode == 1
    assert "localhost/no/such:1" in done.stderr
    assert not list(shell.home.rglob("intent.json"))
