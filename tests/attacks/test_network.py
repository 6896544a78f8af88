"""What an app reaches of other environments, of the machine, and of a cloud's metadata."""

import socket
from contextlib import closing

import pytest

from tests.attacks.town import Town

pytestmark = pytest.mark.slow

REACH = """
import json, socket
reached = []
for host, port in %r:
    try:
        socket.create_connection((host, port), timeout=2).close()
        reached.append([host, port])
    except OSError:
        pass
print(json.dumps(reached))
"""


def test_an_app_reaches_no_port_of_another_environment_or_of_the_machine(town: Town) -> None:
    theirs = town.theirs.site
    with closing(socket.create_server(("0.0.0.0", 0))) as machines:
        port = machines.getsockname()[1]
        own = [f"10.{town.ours.site.number}.0.1", f"10.{theirs.number}.0.1"]
        at = [(host, port) for host in own] + [("127.0.0.1", port)]
        for zone in theirs.zones:
            at += [(zone.private, p) for p in (6380, 6381, 26380, 2379, 3300)]
            at += [(zone.public, 8080)]
        at += [("169.254.169.254", 80)]
        assert town.attack(REACH % (at,)) == []
