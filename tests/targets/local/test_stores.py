"""What keepers decide about the object store: how many copies, who leads, who is missing."""

import json
from pathlib import Path

import pytest

from cordillera.targets.local._keeper.etcd import Entry
from cordillera.targets.local._keeper.registration import leader_of, servers_of
from cordillera.targets.local._keeper.spare import MARK, settle
from cordillera.targets.local._keeper.stores import (
    BACK_AFTER_S,
    LOST_AFTER_S,
    RESTARTED_WITHIN_S,
    Do,
    decide,
    lonely,
    stands_in,
)
from cordillera.targets.local._lookout.store import Store
from cordillera.targets.local._objects_ask import too_few
from cordillera.targets.local._weed_masters import FRESH_S, PATIENT, READY, ordered, patience

STATUS = '{"Leader":"10.66.90.2:9333.19333","Peers":["10.66.10.2:9333"]}'
TOPOLOGY = {
    "Topology": {
        "DataCenters": [
            {"Id": "a", "Racks": [{"Id": "a", "DataNodes": [{"Url": "10.66.10.2:8081"}]}]},
            {"Id": "b", "Racks": [{"Id": "b", "DataNodes": None}]},
            {"Id": "c", "Racks": None},
        ]
    }
}


@pytest.mark.parametrize(
    ("copies", "lost_s", "whole_s", "wanted"),
    [
        ("two", LOST_AFTER_S - 0.1, 0.0, Do.NOTHING),
        ("two", LOST_AFTER_S + 0.1, 0.0, Do.GO_ON_ALONE),
        ("one", LOST_AFTER_S + 0.1, 0.0, Do.NOTHING),
        ("one", 0.0, BACK_AFTER_S - 0.1, Do.NOTHING),
        ("one", 0.0, BACK_AFTER_S + 0.1, Do.END_SPARES),
        ("filling", 0.0, BACK_AFTER_S - 0.1, Do.NOTHING),
        ("filling", 0.0, BACK_AFTER_S + 0.1, Do.FILL),
        ("filling", LOST_AFTER_S + 0.1, 0.0, Do.GO_ON_ALONE),
        ("two", 0.0, 60.0, Do.NOTHING),
    ],
)
def test_copies(copies: str, lost_s: float, whole_s: float, wanted: Do) -> None:
    assert decide(copies, lost_s, whole_s) is wanted


def test_another_zone_lost_than_the_votes_say_is_a_loss_too() -> None:
    assert decide("one", LOST_AFTER_S + 0.1, 0.0, others=True) is Do.GO_ON_ALONE
    assert decide("one", 0.0, BACK_AFTER_S - 0.1, others=True) is Do.NOTHING


def test_a_spare_stands_in_where_the_zone_is_not_lost_itself() -> None:
    assert stands_in("a", "one", "b")
    assert not stands_in("b", "one", "b")
    assert not stands_in("a", "filling", "b")
    assert not stands_in("a", "two", "b")


@pytest.mark.parametrize(("begun", "held"), [("7", {"1.dat", "1.idx", "1.vif"}), ("8", set())])
def test_a_spare_writes_to_nothing_of_its_round_and_keeps_nothing_of_others(
    begun: str, held: set[str], tmp_path: Path
) -> None:
    settle(tmp_path, "7")
    for name in ("1.dat", "1.idx", "1.vif"):
        (tmp_path / name).touch(0o644)

    settle(tmp_path, begun)

    assert {file.name for file in tmp_path.iterdir()} == {*held, MARK}
    assert not any((tmp_path / name).stat().st_mode & 0o222 for name in held - {"1.vif"})


def test_a_store_whose_zone_lives_may_be_starting_anew() -> None:
    assert decide("two", RESTARTED_WITHIN_S - 0.1, 0.0, kept=True) is Do.NOTHING
    assert decide("two", RESTARTED_WITHIN_S + 0.1, 0.0, kept=True) is Do.GO_ON_ALONE


def test_one_zone_is_trouble_until_objects_lie_in_every_one() -> None:
    assert too_few([None]) == ""
    assert too_few([Entry("two", 0, 1, 1)]) == ""
    assert "one zone" in too_few([Entry("one", 0, 1, 1)])
    assert "being copied" in too_few([Entry("filling", 0, 1, 1)])
    assert "majority" in too_few(None)


def test_a_master_tells_who_leads_or_that_nobody_does() -> None:
    assert leader_of(STATUS) == ("10.66.90.2", 9333)
    assert leader_of('{"Leader":""}') is None
    assert leader_of("{}") is None
    assert leader_of(None) is None


def test_the_leader_tells_which_servers_it_knows() -> None:
    assert servers_of(json.dumps(TOPOLOGY)) == [("10.66.10.2", 8081)]
    assert servers_of('{"Topology":{"DataCenters":null}}') == []
    assert servers_of(None) is None  # silence is not an empty list: nobody is missing then


def test_a_volume_server_asks_the_leader_first() -> None:
    assert ordered(["w", "a", "b"], "b") == ["b", "w", "a"]
    assert ordered(["w", "a", "b"], "") == ["w", "a", "b"]


def test_a_master_that_comes_back_under_another_is_patient_until_it_has_met_it() -> None:
    assert patience(leader="", met_s=60.0) == READY
    assert patience(leader="w", met_s=FRESH_S + 1) == PATIENT
    assert patience(leader="w", met_s=1.0) == READY


def test_a_volume_that_one_server_lacks_is_lonely() -> None:
    one, both = '{"Volumes":[{"Id":1}]}', '{"Volumes":[{"Id":1},{"Id":7}]}'

    assert lonely([both, one]) == {7}
    assert lonely([both, both]) == set()
    assert lonely(['{"Volumes":null}', one]) == {1}
    assert lonely(["", one]) == set()  # a server that says nothing may have all


class Supervisor:
    """Knows one program; `asked` are the verbs that it was told."""

    def __init__(self) -> None:
        self.state, self.asked = "STOPPED", list[str]()

    def ask(self, _socket: Path, _timeout_s: float, verb: str, *_args: object) -> object:
        if verb == "getProcessInfo":
            return {"statename": self.state}
        self.asked.append(verb)
        self.state = "RUNNING" if verb == "startProcess" else "STOPPED"
        return True


def test_a_lookout_runs_the_spare_while_the_keeper_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone, flag = Supervisor(), tmp_path / "wanted"
    monkeypatch.setattr("cordillera.targets.local._supervisor_rpc.ask", zone.ask)
    store = Store(tmp_path / "supervisor.sock", "spare@a", flag)
    store.turn()
    assert zone.asked == []

    flag.touch()
    store.turn()
    store.turn()
    assert zone.asked == ["startProcess"]

    zone.state = "STOPPED"  # an `up` has put it anew
    store.turn()
    assert zone.asked == ["startProcess"] * 2

    Store(tmp_path / "supervisor.sock", "spare@a", flag).turn()  # another lookout finds it running
    flag.unlink()
    store.turn()
    store.turn()
    assert zone.asked == ["startProcess", "startProcess", "stopProcess"]
