"""The other zone's server, as the writer's keeper sees it: whether commits may wait for it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cordillera.targets.local import _mariadb_ask as asking
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local._keeper.decide import Second
from cordillera.targets.local._keeper.plan import Plan
from cordillera.targets.local._mariadb_ask import Server

NEAR_TRANSACTIONS = 2000


@dataclass(frozen=True)
class Replica:
    """What the other server says: whom it follows, whether it receives, and how far it has received."""

    follows: str = ""
    receiving: bool = False
    received: str = ""


class Watched:
    """Asks the other zone's server, and knows since when it has not been in step."""

    def __init__(self, plan: Plan, zone: str) -> None:
        self._plan, self.zone = plan, zone
        self._well_at = time.monotonic()
        self.must_have = ""

    def see(self, own: Server) -> Second:
        """How it is now; `own` is what our own server said."""
        replica = self._ask()
        receives = replica.receiving and replica.follows == self._plan.zone.private
        if receives and (own.semi_sync_replicas > 0 or not own.semi_sync):
            self._well_at = time.monotonic()
        return Second(
            zone=self.zone,
            near=receives
            and asking.behind(own.known, asking.gtids(replica.received)) < NEAR_TRANSACTIONS,
            has_all=receives
            and own.semi_sync_replicas > 0
            and bool(self.must_have)
            and asking.reached(asking.gtids(self.must_have), asking.gtids(replica.received)),
            measured=bool(self.must_have),
            lost_s=time.monotonic() - self._well_at,
        )

    def be_patient(self) -> None:
        """Count anew: the roles have just changed."""
        self._well_at, self.must_have = time.monotonic(), ""

    def _ask(self) -> Replica:
        import pymysql

        address, password = self._plan.others[self.zone], self._plan.replication_password
        try:
            with asking.remotely(address, config.REPLICATION_USER, password) as cursor:
                return _replica(asking.one(cursor, "SHOW SLAVE STATUS"))
        except (pymysql.Error, OSError):
            return Replica()


def _replica(status: Mapping[str, Any]) -> Replica:
    return Replica(
        follows=str(status.get("Master_Host") or ""),
        receiving=status.get("Slave_IO_Running") == "Yes",
        received=str(status.get("Gtid_IO_Pos") or ""),
    )
