"""A hostile build: other customers' files, sockets and addresses, the machine's network, its limits."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cordillera.components.service import BuildSpec, ServiceSpec
from cordillera.core.errors import CordilleraError
from cordillera.targets.local import _build, _release
from tests.attacks import build_script
from tests.attacks.town import Town, release_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def got(town: Town) -> Any:
    """What the hostile build of our service noted."""
    return json.loads((release_of(town, "web") / "app" / build_script.RESULT).read_text())


def test_a_build_sees_no_file_and_no_socket_of_others(got: Any) -> None:
    assert (got["files"], got["sockets"]) == ([], [])


def test_a_build_reaches_neither_the_machine_nor_an_environment(got: Any) -> None:
    assert got["network"] == []


def test_a_build_resolves_names_where_the_machine_does(got: Any) -> None:
    resolve = "import socket; socket.getaddrinfo('pypi.org', 443)"
    able = subprocess.run([sys.executable, "-c", resolve], capture_output=True).returncode == 0
    assert got["resolves"] == able


def test_a_build_is_a_user_of_its_own_without_rights(town: Town, got: Any) -> None:
    assert got["uid"] == town.ours.site.uid("build")
    assert (got["capabilities"], got["seccomp"], got["processes"]) == ("0" * 16, "2", [])


def test_a_build_writes_into_its_folder_its_cache_and_memory_only(town: Town, got: Any) -> None:
    release, cache = release_of(town, "web"), town.ours.site.state / "cache"
    assert set(got["writable"]) <= {str(release), str(cache), "/tmp", "/var/tmp"}


def test_a_build_that_multiplies_is_held(got: Any) -> None:
    assert 0 < got["processes made"] <= _build.LIMITS.processes


def test_a_release_belongs_to_root_and_cannot_be_changed(town: Town) -> None:
    release = release_of(town, "web")
    owners = {path.lstat().st_uid for path in release.rglob("*")}
    assert owners == {0}
    assert release.stat().st_mode & 0o007 == 0


def test_a_build_that_leaves_too_much_is_ended_and_says_so(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_build, "MOST_BYTES", 64 << 20)
    monkeypatch.setattr(_build, "LOOK_EVERY_S", 0.2)
    many = "import time\nfor n in range(20):\n open(f'f{n}','wb').write(bytes(9 << 20))\ntime.sleep(60)"
    (tmp_path / "many.py").write_text(many)
    spec = ServiceSpec(command="true", build=BuildSpec(run="python3 many.py"))
    site = town.ours.site

    with pytest.raises(CordilleraError, match="the build was ended"):
        _release.build(spec, tmp_path, "toolarge", site, site.state / "logs" / "build-large.log")

    assert not _release.complete(site, "toolarge")


def test_two_builds_at_once_share_no_cache_and_both_end(town: Town, tmp_path: Path) -> None:
    """With npm and pip: what each leaves is its own."""
    from concurrent.futures import ThreadPoolExecutor

    command = "mkdir -p $PIP_CACHE_DIR && echo $$ > $PIP_CACHE_DIR/own && sleep 1 && cat $PIP_CACHE_DIR/own"
    spec = ServiceSpec(command="true", build=BuildSpec(run=command))
    sites = [town.ours.site, town.theirs.site]

    def build(number: int) -> str:
        site = sites[number]
        log = site.state / "logs" / "build-twice.log"
        _release.build(spec, tmp_path, f"twice{number}", site, log)
        return str(site.state / "cache")

    with ThreadPoolExecutor(2) as pool:
        caches = list(pool.map(build, range(2)))
    assert len({Path(cache, "pip/own").stat().st_ino for cache in caches}) == 2
    assert {Path(cache).stat().st_uid for cache in caches} == {s.uid("build") for s in sites}
