"""The keepers: one process per zone that fences, promotes and rejoins the zone's database."""

import json
import sys
from collections.abc import Mapping

from cordillera.components.wanted import Wanted
from cordillera.targets.local import _etcd, database
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import LocalPart, Parts, Process, Ready, part
from cordillera.targets.local._site import Site, Zone

PLAN = "keeper.json"


class Keepers(Component):
    """They go on without any command or server of ours: two of three zones are enough."""

    name = "keeper"

    def parts(self, want: Wanted, site: Site) -> Parts:
        if not database.needed(want):
            return ()
        return tuple(_keeper(want, site, zone) for zone in site.zones)


def _keeper(want: Wanted, site: Site, zone: Zone) -> LocalPart:
    body = Process(
        argv=(sys.executable, "-m", "cordillera.targets.local._keeper", f"{{run}}/{PLAN}"),
        zone=zone.name,
        files={PLAN: json.dumps(_plan(want, site, zone), indent=1), **_etcd.files()},
        ready=Ready("tcp", port=config.ROLE_PORT),
    )
    return part("keeper", f"keeper@{zone.name}", f"keeper/{zone.name}", body, site.vault.digest)


def _plan(want: Wanted, site: Site, zone: Zone) -> Mapping[str, object]:
    """What `_keeper.plan` reads."""
    return {
        "zone": {
            "name": zone.name, "index": zone.index, "private": zone.private,
            "state": "{state}", "run": "{run}",
        },
        "others": {other.name: other.private for other in site.others(zone)},
        "members": _etcd.members(site),
        "pem": f"{{run}}/{_etcd.PEM}",
        "root_password": "${secret:database/root}",
        "replication_password": "${secret:database/replication}",
        "database": True,
        "objects": any(want.of_type("objects")),
    }  # fmt: skip
