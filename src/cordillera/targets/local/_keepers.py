"""The keepers: one process per zone for its database, its caches and the objects' copies."""

import json
import sys
from collections.abc import Mapping

from cordillera.components.cache import CacheSpec
from cordillera.components.wanted import Wanted
from cordillera.targets.local import _etcd, _votes, _weed, database, programs
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local._cache_config import NOTE, SENTINEL_PORT, server_data
from cordillera.targets.local._component import Component
from cordillera.targets.local._keeper.plan import FILE
from cordillera.targets.local._parts import LocalPart, Parts, Process, Ready, part
from cordillera.targets.local._site import Site, Zone


class Keepers(Component):
    """They go on without any command or server of ours: two of three zones are enough."""

    name = "keeper"

    def parts(self, want: Wanted, site: Site) -> Parts:
        if not _votes.needed(want):
            return ()
        zones = site.domains if any(want.of_type("objects")) else site.zones
        return tuple(_keeper(want, site, zone) for zone in zones)


def _keeper(want: Wanted, site: Site, zone: Zone) -> LocalPart:
    body = Process(
        argv=(sys.executable, "-m", "cordillera.targets.local._keeper", f"{{run}}/{FILE}"),
        zone=zone.name,
        user="database",  # it reads and replaces the database's files
        groups=("cache", "objects"),
        capabilities=("kill",),
        files={FILE: json.dumps(_plan(want, site, zone), indent=1), **_etcd.files()},
        ready=Ready("tcp", port=config.ROLE_PORT),
    )
    return part("keeper", f"keeper@{zone.name}", f"keeper/{zone.name}", body, site.vault.digest)


def votes_plan(site: Site, zone: Zone) -> Mapping[str, object]:
    """What `_keeper.plan` reads, for one who only asks the votes: no passwords."""
    return {
        "zone": {
            "name": zone.name, "index": zone.index, "private": zone.private,
            "state": "{state}", "run": "{zone_run}",
        },
        "others": {other.name: other.private for other in site.others(zone)},
        "members": _etcd.members(site),
        "witness": site.witness.private,
        "pem": f"{{run}}/{_etcd.PEM}",
        "root_password": "", "replication_password": "", "database": False, "caches": [],
        "stores": None,
    }  # fmt: skip


def _plan(want: Wanted, site: Site, zone: Zone) -> Mapping[str, object]:
    """The same for the keeper."""
    return {
        **votes_plan(site, zone),
        "root_password": "${secret:database/root}",
        "replication_password": "${secret:database/replication}",
        "database": database.needed(want) and not zone.votes_only,
        "caches": [] if zone.votes_only else _caches(want, site, zone),
        "stores": _stores(site) if any(want.of_type("objects")) else None,
    }


def _caches(want: Wanted, site: Site, zone: Zone) -> list[Mapping[str, object]]:
    """What `_keeper.caches` reads."""
    return [
        {
            "name": name,
            "socket": str(zone.sockets("cache") / f"cache-{name}.sock"),
            "password": f"${{secret:cache-admin/{name}}}",
            "address": zone.private,
            "sentinels": [(one.private, SENTINEL_PORT) for one in site.domains],
            "sentinel_password": "${secret:cache/sentinel}",
            "durable": spec.durable,
            "note": f"{{state}}/{server_data(name)}/{NOTE}",
        }
        for name, spec in want.of_type("cache")
        if isinstance(spec, CacheSpec)
    ]


def _stores(site: Site) -> Mapping[str, object]:
    """What the steward reads."""
    return {
        "servers": {zone.name: (zone.private, _weed.VOLUME_PORT) for zone in site.zones},
        "spares": {zone.name: (zone.private, _weed.SPARE_PORT) for zone in site.zones},
        "masters": _weed.masters(site),
        "witness": (site.witness.private, _weed.MASTER_PORT),
        "weed": programs.path("weed"),
    }
