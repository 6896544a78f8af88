"""What comes and goes, or stands still for a while, is no reason for one promotion after the other."""

from collections.abc import Iterator

import pytest
from tests.targets.local import losses
from tests.targets.local.by_hand import eventually
from tests.targets.local.losses import Cluster, Event

from cordillera.components.target import Loss
from cordillera.targets.local import _mariadb_config as config

pytestmark = pytest.mark.slow
FLAPS = 3


@pytest.fixture(scope="module")
def flapping() -> Iterator[Cluster]:
    with losses.cluster("flapping/test", disk_mb=700) as made:
        made.heal()
        made.query("CREATE TABLE orders (id INT PRIMARY KEY)")
        yield made


@pytest.mark.parametrize("how", [Loss.KILLED, Loss.PARTITIONED])
def test_a_zone_that_comes_and_goes(flapping: Cluster, how: Loss) -> None:
    flapping.heal()
    flapping.query("DELETE FROM orders", zone=flapping.writer())
    writer, before = flapping.writer(), flapping.epoch()

    with flapping.writing(zone=flapping.other(writer)) as written:
        losses.flap(flapping, writer, how, times=FLAPS)
        flapping.heal()
        written.wait_for_more()

    assert flapping.epoch() - before <= FLAPS + 1
    assert not written.lost()


def test_a_machine_that_is_paused_and_goes_on(flapping: Cluster) -> None:
    flapping.heal()
    flapping.query("DELETE FROM orders", zone=flapping.writer())
    before = flapping.epoch()

    with flapping.writing(zone="a") as written:
        losses.freeze_everything(flapping, for_s=20)
        flapping.heal()
        written.wait_for_more()

    assert flapping.epoch() - before <= 2
    assert not written.lost()


def test_a_slow_disk_is_no_lost_zone(flapping: Cluster) -> None:
    flapping.heal()
    flapping.query("DELETE FROM orders", zone=flapping.writer())
    writer, before = flapping.writer(), flapping.epoch()

    with flapping.writing(zone=writer) as written:
        losses.slow_disk(flapping, writer, for_s=10)
        written.wait_for_more()

    assert flapping.writer() == writer
    assert flapping.epoch() == before
    assert not written.lost()


def test_a_full_disk_hands_over_and_nothing_is_lost(flapping: Cluster) -> None:
    flapping.heal()
    flapping.query("DELETE FROM orders", zone=flapping.writer())
    writer = flapping.writer()

    with flapping.writing(zone=flapping.other(writer)) as written:
        hog = losses.fill(flapping.site.zone(writer).state / config.DATA)
        try:
            other = flapping.other(writer)
            eventually(lambda: flapping.writer() == other, "the other zone writes")
            written.wait_for_more()
            assert not flapping.state().healthy
        finally:
            hog.unlink()
        flapping.heal()

    assert not written.lost()
    a, b = (losses.history(flapping.site, zone) for zone in ("a", "b"))
    assert losses.split(a, b) == []
    assert losses.overlapping(a) == losses.overlapping(b) == []


def test_what_counts_as_a_split_history_and_as_two_writers() -> None:
    one = [Event(1, 1, ("d", 1)), Event(2, 1, ("d", 5)), Event(3, 2, ("d", 6))]
    other = [Event(1, 1, ("d", 1)), Event(2, 2, ("d", 5)), Event(3, 2, ("d", 4))]

    assert losses.split(one, one) == []
    assert losses.split(one, other) == [2]
    assert losses.overlapping(one) == []
    assert losses.overlapping([Event(1, 1, ("d", 5)), Event(2, 2, ("d", 4))]) == [
        Event(2, 2, ("d", 4))
    ]


LOG = """\
#261124 22:31:28 server id 1  end_log_pos 512 CRC32 0x1 \tGTID 0-1-265 trans
#261124 22:31:28 server id 1  end_log_pos 600 CRC32 0x1 \tXid = 901
COMMIT/*!*/;
#261124 22:31:28 server id 1  end_log_pos 712 CRC32 0x1 \tGTID 0-1-266 trans
# at 712
"""


def test_a_transaction_that_was_torn_is_none() -> None:
    assert [event.number for event in losses.events(LOG)] == [265]
