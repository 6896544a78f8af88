"""What keepers decide about the object store: how many copies, who leads, who is missing."""

import json

import pytest

from cordillera.targets.local._keeper.etcd import Entry
from cordillera.targets.local._keeper.registration import leader_of, servers_of
from cordillera.targets.local._keeper.stores import (
    BACK_AFTER_S,
    LOST_AFTER_S,
    RESTARTED_WITHIN_S,
    Do,
    decide,
    lonely,
)
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
        ("one", 0.0, BACK_AFTER_S + 0.1, Do.WRITE_TWO),
        ("filling", 0.0, BACK_AFTER_S - 0.1, Do.NOTHING),
        ("filling", 0.0, BACK_AFTER_S + 0.1, Do.FILL),
        ("filling", LOST_AFTER_S + 0.1, 0.0, Do.GO_ON_ALONE),
        ("two", 0.0, 60.0, Do.NOTHING),
    ],
)
def test_copies(copies: str, lost_s: float, whole_s: float, wanted: Do) -> None:
    assert decide(copies, lost_s, whole_s) is wanted


def test_a_store_whose_zone_lives_may_be_starting_anew() -> None:
    assert decide("two", RESTARTED_WITHIN_S - 0.1, 0.0, kept=True) is Do.NOTHING
    assert decide("two", RESTARTED_WITHIN_S + 0.1, 0.0, kept=True) is Do.GO_ON_ALONE


def test_one_copy_is_trouble_until_all_have_their_second() -> None:
    assert too_few([None]) == ""
    assert too_few([Entry("two", 0, 1, 1)]) == ""
    assert "one copy" in too_few([Entry("one", 0, 1, 1)])
    assert "being made" in too_few([Entry("filling", 0, 1, 1)])
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
