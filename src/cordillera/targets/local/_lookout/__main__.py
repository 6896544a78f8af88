"""Looks out: `python -m cordillera.targets.local._lookout PLAN.json`, one in each failure domain."""

import http.client
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from cordillera.targets.local import _supervisor_rpc as supervisor
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._lookout.frozen import Frozen, Watched
from cordillera.targets.local._lookout.links import Links
from cordillera.targets.local._lookout.spares import Drains, Spare, Spares
from cordillera.targets.local._lookout.store import Store
from cordillera.targets.local._lookout.unhealthy import Copy, Unhealthy
from cordillera.targets.local._lookout.zone import Zone

EVERY_S = 0.7


def main() -> None:
    """Look out until we are ended."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    zones = [Zone(name, address, plan["port"]) for name, address in plan["others"].items()]
    servers = {name: (Path(socket), backend) for name, (socket, backend) in plan["servers"].items()}
    told = [Spare(**one) for one in plan["spares"]]
    spares = Spares(Path(plan["supervisor"]), told, Drains(servers))
    here = ThreadingHTTPServer((plan["address"], plan["port"]), _answers(spares))
    frozen = Frozen([Watched(**one) for one in plan["haproxies"]])
    unhealthy = Unhealthy(Path(plan["supervisor"]), [Copy(**one) for one in plan["copies"]])
    tasks = [here.serve_forever, frozen.watch_for_ever, unhealthy.watch_for_ever]
    if program := plan["store"]:
        store = Store(Path(plan["supervisor"]), program, Path(plan["flag"]))
        tasks.append(store.watch_for_ever)
    for task in tasks:
        Thread(target=task, daemon=True).start()
    links = Links(plan["ports"])
    links.forget(zones)
    while True:
        begun = time.monotonic()
        _turn(zones, links, spares)
        time.sleep(max(0.0, EVERY_S - (time.monotonic() - begun)))


def _turn(zones: list[Zone], links: Links, spares: Spares) -> None:
    for zone in zones:
        zone.look()
        if links.turn(zone):
            say(f"zone {zone.name}: silent for {zone.silent_s:.1f} s; its object store is "
                f"{'cut off' if links.cuts(zone) else 'reached again'}")  # fmt: skip
    try:
        spares.turn(zones)
    except supervisor.TROUBLE as e:
        say(f"tried again: {e}")


def _answers(spares: Spares) -> type[BaseHTTPRequestHandler]:
    class Here(BaseHTTPRequestHandler):
        """Says that this zone runs, and what is about to end in it."""

        timeout = 5

        def do_GET(self) -> None:
            body = json.dumps(spares.ending).encode()
            self.send_response(http.client.OK)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Asked every second: not logged."""

    return Here


if __name__ == "__main__":
    main()
