"""The voters: an etcd member in each zone and in the witness, where something needs a majority."""

from cordillera.components.wanted import Wanted
from cordillera.targets.local import _etcd, database
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import LocalPart, Parts, Process, Ready, part
from cordillera.targets.local._site import Site, Zone


class Voters(Component):
    """Leases and votes for the keepers. Two of the three decide."""

    name = "votes"

    def parts(self, want: Wanted, site: Site) -> Parts:
        if not needed(want):
            return ()
        return tuple(_member(site, zone) for zone in site.domains)


def needed(want: Wanted) -> bool:
    """Whether an environment has anything whose master could be lost."""
    return database.needed(want) or any(want.of_type("cache"))


def _member(site: Site, zone: Zone) -> LocalPart:
    body = Process(
        argv=tuple(_etcd.member(site, zone)),
        zone=zone.name,
        user="consensus",
        files=_etcd.files(),
        variables=_etcd.variables(),
        data=_etcd.DATA,
        ready=Ready("tcp", port=_etcd.CLIENT_PORT),
    )
    return part("votes", f"etcd@{zone.name}", f"votes/{zone.name}", body, site.vault.digest)
