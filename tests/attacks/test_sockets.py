"""Sockets of other environments, and of servers that a program has nothing to do with."""

import socket
import stat
from pathlib import Path

import pytest

from tests.attacks.town import Town

pytestmark = pytest.mark.slow

CONNECT = """
import json, socket
reached = []
for path in %r:
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(2)
    try:
        made.connect(path)
        reached.append(path)
    except OSError:
        pass
print(json.dumps(reached))
"""


def sockets(top: Path) -> list[str]:
    return [str(p) for p in top.rglob("*") if stat.S_ISSOCK(p.lstat().st_mode)]


def listened(paths: list[str]) -> list[str]:
    """Those that root can connect to."""
    found = []
    for path in paths:
        with socket.socket(socket.AF_UNIX) as made:
            made.settimeout(2)
            try:
                made.connect(path)
            except OSError:
                continue
            found.append(path)
    return found


def test_an_app_reaches_no_socket_of_any_environment(town: Town) -> None:
    paths = listened([*sockets(town.ours.site.run), *sockets(town.theirs.site.run)])
    assert any("mariadb" in path for path in paths)
    assert any("nginx" in path for path in paths)

    assert town.attack(CONNECT % (paths,)) == []


@pytest.mark.parametrize(
    ("user", "may"),
    [("cache", "/cache/"), ("objects", "/objects/"), ("proxy", "/proxy/"), ("mail", "/mail/")],
)
def test_a_server_reaches_its_own_sockets_only(town: Town, user: str, may: str) -> None:
    run = town.ours.site.zone("a").run
    paths = listened(sockets(run))
    done = town.as_server(user, "/usr/bin/python3", "-c", CONNECT % (paths,))
    assert done.returncode == 0, done.stderr
    reached = __import__("json").loads(done.stdout)
    assert [path for path in reached if may not in path] == []


def test_what_another_environment_listens_at_in_abstract_names_is_not_there(town: Town) -> None:
    code = (
        "import json\n"
        "rows = open('/proc/net/unix').read().splitlines()[1:]\n"
        "print(json.dumps([r.split()[-1] for r in rows if r.split()[-1].startswith('@')]))"
    )
    names = town.attack(code)
    assert [name for name in names if "crd" in name or "cordillera" in name] == []
