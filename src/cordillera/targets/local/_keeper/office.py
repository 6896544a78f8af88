"""One turn of a keeper: look, decide, do. Every step may be cut off anywhere and is then done again."""

from collections.abc import Callable

from cordillera.core.errors import CordilleraError
from cordillera.targets.local import _mariadb_ask as asking
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local._keeper import copies, votes
from cordillera.targets.local._keeper.answers import Role
from cordillera.targets.local._keeper.decide import LOST_AFTER_S, Here, Second, Step, decide
from cordillera.targets.local._keeper.etcd import Etcd, Silent
from cordillera.targets.local._keeper.lease import Lease
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._keeper.plan import Plan
from cordillera.targets.local._keeper.second import Watched
from cordillera.targets.local._keeper.server import Broken, LocalServer
from cordillera.targets.local._keeper.votes import Votes
from cordillera.targets.local._mariadb_ask import Server

LOG_PURGED_OR_DIVERGED = 1236
MOST_REPLAYED_BYTES = 256 << 20
"""A server without data replays the writer's whole log up to this; a longer one is copied instead."""
ROLE_HOLDS_S = 3.0
LATE_S = 30.0
NOBODY = Second("", lost_s=LOST_AFTER_S * 2)


class Office:
    """The keeper of one zone's database."""

    def __init__(self, plan: Plan, server: LocalServer, lease: Lease, role: Role) -> None:
        self._plan, self._server, self._lease, self._role = plan, server, lease, role
        self._votes: Etcd = plan.votes()
        self._known = Votes()
        other = next(iter(plan.others), "")
        self._second = Watched(plan, other) if other else None
        self._last = Step.NOTHING
        self._steps: dict[Step, Callable[[Votes, Server], None]] = {
            Step.TAKE: self._take,
            Step.LEAVE: self._leave,
            Step.FENCE: lambda _votes, _found: self._server.fence(),
            Step.OPEN: self._open,
            Step.FOLLOW: self._follow,
            Step.ALONE: self._alone,
            Step.WAIT_FOR_ALL: self._wait_for_all,
            Step.CONFIRM: self._confirm,
        }

    def turn(self) -> Step:
        """Look, decide, do. Never raises for servers or votes that do not answer."""
        here, found = self._server.look()
        seen = self._read()
        self._tell(here, found)
        open_ = here.writable and seen is not None and seen.holder == here.zone
        second = self._second.see(found) if self._second and open_ else NOBODY
        step = decide(seen, here, second, lease=self._lease.number, lapsed=self._lapsed())
        if step is not self._last and step is not Step.NOTHING:
            say(f"{step.value}: {here}, {seen}, {second}")
        self._last = step
        if step is not Step.NOTHING:
            self._do(step, seen or self._known, found)
        return step

    def _do(self, step: Step, seen: Votes, found: Server) -> None:
        import pymysql

        try:
            self._steps[step](seen, found)
        except Broken as e:
            say(f"{step.value}: {e}")
            self._server.give_up()
            self._leave(seen, found)
        except (pymysql.Error, OSError, CordilleraError) as e:
            say(f"{step.value}: {e}")

    def _read(self) -> Votes | None:
        """The votes, None when they do not answer. A lease of our predecessor's becomes ours."""
        try:
            seen = votes.read(self._votes)
            if seen.holder == self._plan.zone.name and seen.lease != self._lease.number:
                self._lease.adopt(seen.lease)
        except Silent:
            return None
        self._known = seen
        return seen

    def _lapsed(self) -> bool:
        """Whether another may have the office by now. Nobody may while nobody is in step."""
        record = self._known.record
        alone = record is not None and record.eligible == {self._plan.zone.name}
        return self._lease.left_s <= 0 and not alone

    def _tell(self, here: Here, found: Server) -> None:
        """Tell the proxies what our server is."""
        ours = self._known.holder == here.zone and self._known.lease == self._lease.number
        if here.writable and ours and not self._lapsed():
            self._role.say("writer", for_s=ROLE_HOLDS_S)
        elif here.answers and here.follows and found.receiving and found.applying:
            late = found.lag_s is None or found.lag_s > LATE_S
            self._role.say("" if late else "replica", for_s=ROLE_HOLDS_S)
        else:
            self._role.say("", for_s=0.0)

    # -- steps ------------------------------------------------------------------------------

    def _take(self, seen: Votes, _: Server) -> None:
        if self._lease.left_s > 0 and votes.take(
            self._votes, self._plan.zone.name, self._lease.number, seen
        ):
            self._be_patient()

    def _leave(self, _: Votes, __: Server) -> None:
        self._server.fence()
        votes.leave(self._votes, self._lease.number)

    def _open(self, seen: Votes, found: Server) -> None:
        assert seen.record is not None
        if found.follows:
            self._server.apply_everything()
            self._server.follow_nobody()
        record = votes.opening(seen.record, self._plan.zone.name)
        if votes.note(self._votes, self._lease.number, seen, record):
            self._server.open(record.epoch)
            self._role.say("writer", for_s=ROLE_HOLDS_S)
            self._be_patient()

    def _alone(self, seen: Votes, _: Server) -> None:
        assert seen.record is not None
        if votes.note(self._votes, self._lease.number, seen, votes.with_in_step(seen.record, [])):
            self._server.stop_waiting()

    def _wait_for_all(self, _: Votes, __: Server) -> None:
        if self._second:
            self._second.must_have = self._server.wait_for_all()

    def _confirm(self, seen: Votes, _: Server) -> None:
        assert seen.record is not None and self._second is not None
        record = votes.with_in_step(seen.record, [self._second.zone])
        votes.note(self._votes, self._lease.number, seen, record)

    def _follow(self, seen: Votes, found: Server) -> None:
        address = self._plan.others[seen.holder]
        password = self._plan.replication_password
        with asking.remotely(address, config.REPLICATION_USER, password) as cursor:
            diverged = asking.diverged(found, asking.known(cursor))
            long = found.fresh and asking.log_bytes(cursor) > MOST_REPLAYED_BYTES
        unusable = found.receive_error == LOG_PURGED_OR_DIVERGED or found.apply_error
        if diverged or unusable or long:
            copies.fetch(self._plan, address, keep_old=diverged)
            self._server.fence()
        else:
            self._server.follow(address, found)

    def _be_patient(self) -> None:
        if self._second:
            self._second.be_patient()
