"""The database on one machine: its parts, and what it does when servers die."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pymysql
import pytest
from tests.targets.local import losses
from tests.targets.local.by_hand import eventually
from tests.targets.local.losses import Cluster

from cordillera.components.database import DatabaseSpec
from cordillera.components.queue import QueueSpec
from cordillera.components.target import Loss
from cordillera.components.wanted import Wanted
from cordillera.core.errors import CommandFailed, NotReady, Refused
from cordillera.core.process import is_root
from cordillera.core.vault import Vault
from cordillera.targets.local import _etcd, _net, network
from cordillera.targets.local import _firewall_rules as rules
from cordillera.targets.local import _mariadb_ask as asking
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local import _mariadb_start as starting
from cordillera.targets.local._keeper import votes
from cordillera.targets.local._keeper.etcd import Etcd
from cordillera.targets.local._keeper.votes import Votes
from cordillera.targets.local._mariadb_ask import Server
from cordillera.targets.local._parts import Process
from cordillera.targets.local._site import WITNESS, Isolation, Site
from cordillera.targets.local._verbs import LocalVerbs
from cordillera.targets.local.database import Database, schema_name

WANT = Wanted(
    app="shop",
    environment="test/byhand",
    folder=Path("/"),
    resources={"db": DatabaseSpec(type="database"), "jobs": QueueSpec(type="queue")},
)
A, B = "127.20.10.2", "127.20.20.2"


def plain_site() -> Site:
    nowhere = Path("/nonexistent")
    return Site("test/byhand", 20, Isolation.LOOPBACK, nowhere / "s", nowhere / "r", Vault(nowhere))


# -- pure ---------------------------------------------------------------------------------------


def test_no_server_runs_for_an_app_without_data() -> None:
    assert Database().parts(Wanted("shop", "test/x", Path("/")), plain_site()) == ()


def test_a_queue_alone_brings_the_servers_and_its_own_schema() -> None:
    want = Wanted("shop", "test/x", Path("/"), resources={"jobs": QueueSpec(type="queue")})
    names = [p.name for p in Database().parts(want, plain_site())]
    assert names == ["mariadb@a", "mariadb@b", "roles", "schema-cordillera_queue"]


def test_no_secret_is_in_a_command_line_or_in_clear_in_a_part() -> None:
    for part in Database().parts(WANT, plain_site()):
        if isinstance(part.body, Process):
            assert "secret" not in " ".join(part.body.argv)
            assert "IDENTIFIED BY PASSWORD '*" in part.body.files[config.INIT]


def test_servers_wait_for_a_second_zone_before_they_acknowledge() -> None:
    text = config.options(plain_site().zones[1], memory_bytes=1 << 27)
    for line in (
        "server-id=2",
        "sync-binlog=1",
        "innodb-flush-log-at-trx-commit=1",
        "log-slave-updates",
        "gtid-strict-mode=1",
        "rpl-semi-sync-master-wait-point=AFTER_SYNC",
        "rpl-semi-sync-master-wait-no-slave=1",
        "innodb-buffer-pool-size=134217728",
    ):
        assert line in text.splitlines()


def test_the_app_receives_both_endpoints_in_its_own_zone() -> None:
    site = plain_site()
    found = Database().variables(WANT, site, "db", site.zones[1])
    at = f"mysql://db:${{secret:database/db}}@{B}"
    assert found == {
        "DB_URL": f"{at}:3310/db",
        "DB_READER_URL": f"{at}:3311/db",
        "DATABASE_URL": f"{at}:3310/db",
    }


def test_a_resource_never_takes_a_schema_of_the_servers_own() -> None:
    assert schema_name("mysql") == "app_mysql"
    assert schema_name("cordillera-queue") == "app_cordillera_queue"
    assert schema_name("order-db") == "order_db"


def server(zone: str, **known: Any) -> Server:
    return Server(zone, A if zone == "a" else B, **{"answers": True, **known})


def test_the_writer_is_who_takes_writes_wherever_it_is() -> None:
    found = [server("a", epoch=1, follows=B), server("b", epoch=2, writable=True)]
    assert asking.writer_among(found).zone == "b"


def test_of_two_writers_the_one_promoted_last_stays() -> None:
    found = [server("a", epoch=1, writable=True), server("b", epoch=2, writable=True)]
    assert asking.writer_among(found).zone == "b"


def test_after_a_power_cut_the_writer_is_who_followed_nobody() -> None:
    found = [server("a", epoch=2, follows=B), server("b", epoch=2)]
    assert asking.writer_among(found).zone == "b"


def test_nobody_is_opened_while_a_server_that_may_know_more_is_silent() -> None:
    with pytest.raises(NotReady):
        asking.writer_among([server("a", epoch=1), server("b", answers=False)])


def test_servers_that_cannot_be_told_apart_are_left_to_a_person() -> None:
    same = {(0, 1): 7}
    with pytest.raises(Refused):
        asking.writer_among([server("a", epoch=1, known=same), server("b", epoch=1, known=same)])


def test_a_server_that_wrote_what_the_writer_lacks_has_diverged() -> None:
    writer = asking.gtids("0-1-100,0-2-110")
    assert asking.diverged(server("a", known=asking.gtids("0-1-105")), writer)
    assert not asking.diverged(server("a", known=asking.gtids("0-1-100")), writer)


def test_a_server_that_followed_nobody_starts_as_the_votes_leave_it() -> None:
    a_wrote = votes.Record(3, "a", frozenset({"b"}))
    assert starting.choose(Votes(), "a") == starting.Role()
    assert starting.choose(Votes("a", 7, a_wrote, 1), "a") == starting.Role()
    assert (
        starting.choose(Votes("b", 7, a_wrote, 1), "a") is None
    )  # b has not opened: a may be needed
    assert starting.choose(Votes("", 0, a_wrote, 1), "a") is None
    b_writes = votes.opening(a_wrote, "b")
    assert starting.choose(Votes("b", 7, b_writes, 2), "a") == starting.Role(give_way=True)


def test_an_interrupted_drain_goes_on_where_it_stopped() -> None:
    assert starting.later("0-1-54", "0-1-60") == "0-1-60"
    assert starting.later("0-1-54", "0-1-54") == "0-1-54"
    assert starting.later("0-1-54", "") == "0-1-54"
    assert starting.later("", "0-1-3") == "0-1-3"


@pytest.mark.parametrize("others_have_all", [True, False])
def test_a_relay_log_is_given_up_only_when_another_has_all_that_is_in_it(
    others_have_all: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: object, statement: str) -> str:
        raise CommandFailed("Duplicate entry")

    monkeypatch.setattr(starting._Private, "query", refused)
    script = tmp_path / "drain.sql"
    script.write_text("INSERT ...")
    server = starting._Private(tmp_path, tmp_path)

    if others_have_all:
        server.play(script, lambda: True)
        assert (tmp_path / "undrained.sql").read_text() == "INSERT ..."
    else:
        with pytest.raises(CommandFailed, match="nobody else has"):
            server.play(script, lambda: False)
        assert script.exists()


GOOD = server("a", writable=True, semi_sync=True, semi_sync_replicas=1)
REPLICA = server("b", follows=A, receiving=True, applying=True)
SEEN = Votes("a", 7, votes.Record(3, "a", frozenset({"b"})), 1)


def test_asynchronous_replication_is_called_degraded() -> None:
    assert asking.trouble([GOOD, REPLICA], SEEN) == ""
    assert "degraded" in asking.trouble([server("a", writable=True), REPLICA], SEEN)


def test_a_late_replica_is_trouble() -> None:
    late = server("b", follows=A, receiving=True, applying=True, lag_s=asking.LATE_S + 2)
    assert asking.trouble([GOOD, late], SEEN) == "zone b: the replica is 12 s late"


def test_a_promise_without_a_replica_is_trouble() -> None:
    assert "zone b" in asking.trouble([GOOD, server("b", answers=False)], SEEN)


def test_a_promise_that_no_majority_knows_of_is_trouble() -> None:
    assert "majority" in asking.trouble([GOOD, REPLICA], None)
    alone = Votes("a", 7, votes.Record(3, "a"), 1)
    assert "zone b is not confirmed" in asking.trouble([GOOD, REPLICA], alone)


# -- real servers -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with losses.cluster("db/test") as made:
        yield made


@pytest.fixture
def shop(cluster: Cluster) -> Cluster:
    """Healthy, with an empty table."""
    cluster.heal()
    cluster.query("CREATE TABLE IF NOT EXISTS orders (id INT PRIMARY KEY)")
    cluster.query("DELETE FROM orders")
    return cluster


@pytest.mark.slow
def test_what_the_writer_acknowledged_is_in_the_other_zone(shop: Cluster) -> None:
    writer = shop.writer()
    shop.query("INSERT INTO orders VALUES (7)", zone=shop.other(writer))
    rows = "SELECT id FROM orders"
    eventually(lambda: shop.answer(rows, port=config.READER_PORT) == [7], "the reader has it")
    ids = {zone: shop.answer("SELECT @@server_id", zone=zone) for zone in ("a", "b")}
    assert ids["a"] == ids["b"]
    readers = shop.answer("SELECT @@server_id", port=config.READER_PORT)
    assert readers != ids["a"]


@pytest.mark.slow
def test_a_killed_writer_is_opened_anew_or_followed_by_another(shop: Cluster) -> None:
    epoch, writer = shop.epoch(), shop.writer()
    with shop.writing() as written:
        shop.signal(f"database/mariadb@{writer}", signal.SIGKILL)
        eventually(lambda: shop.epoch() > epoch, "whoever is there first is opened")
        written.wait_for_more()
        shop.heal()
    assert written.lost() == set()


@pytest.mark.slow
def test_another_server_takes_over_from_a_frozen_writer(shop: Cluster) -> None:
    writer = shop.writer()
    with shop.writing() as written:
        frozen = shop.signal(f"database/mariadb@{writer}", signal.SIGSTOP)
        eventually(lambda: shop.writer() == shop.other(writer), "the other one writes")
        written.wait_for_more()
        shop.thaw(frozen)
        shop.heal()
    assert written.lost() == set()
    assert shop.writer() == shop.other(writer)


@pytest.mark.slow
@pytest.mark.parametrize("how", list(Loss))
def test_a_lost_zone_stops_no_writes_and_takes_no_row(shop: Cluster, how: Loss) -> None:
    if how is not Loss.KILLED and not is_root():
        pytest.skip("freezing or cutting off a zone needs namespaces of its own, which need root")
    writer = shop.writer()
    with (
        shop.writing(zone=shop.other(writer)) as written,
        shop.writing(zone=writer, first=1_000_000) as inside,
    ):
        LocalVerbs().lose(shop.name, writer, how)
        eventually(lambda: shop.writer() == shop.other(writer), "the other zone writes")
        written.wait_for_more()
        assert not shop.state().healthy
        LocalVerbs().restore(shop.name, writer)
        shop.heal()
        inside.wait_for_more()
    assert (written.lost(), inside.lost()) == (set(), set())


@pytest.mark.slow
def test_a_lost_replica_is_called_degraded_and_comes_back_by_itself(shop: Cluster) -> None:
    other = shop.other(shop.writer())
    with shop.writing(zone=shop.writer()) as written:
        LocalVerbs().lose(shop.name, other, Loss.KILLED)
        eventually(
            lambda: "degraded" in shop.why() or f"zone {other}" in shop.why(), "said so", within_s=3
        )
        written.wait_for_more()
        LocalVerbs().restore(shop.name, other)
        shop.heal()
    assert written.lost() == set()


@pytest.mark.slow
def test_a_replica_that_stopped_applying_is_told_within_three_seconds(shop: Cluster) -> None:
    zone = shop.site.zone(shop.other(shop.writer()))

    def told() -> bool:
        """Stopped anew for each look: its keeper starts it again within half a second."""
        with asking.session(shop.site, zone) as cursor:
            cursor.execute("STOP SLAVE SQL_THREAD")
        return not shop.state().healthy

    eventually(told, "not called healthy", within_s=3)
    shop.heal()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_keeper_or_voter_alone_is_not_missed(shop: Cluster, how: signal.Signals) -> None:
    writer = shop.writer()
    with shop.writing() as written:
        for part in (f"keeper/keeper@{writer}", f"votes/etcd@{writer}", "votes/etcd@witness"):
            frozen = shop.signal(part, how)
            written.wait_for_more()
            shop.thaw(frozen)
            shop.heal()
    assert written.lost() == set()


@pytest.mark.slow
def test_a_zone_that_was_cut_off_costs_no_election_when_it_is_back(shop: Cluster) -> None:
    shop.heal()
    # Some seconds after a start keepers hand the lead to the witness: an election, and none of the cut's.
    eventually(lambda: leads(vote_of(shop, "witness")), "the votes are led from the witness")
    zone = shop.other(shop.writer())
    before = vote_of(shop, shop.other(zone))
    LocalVerbs().lose(shop.name, zone, Loss.PARTITIONED)
    eventually(lambda: "leader" not in vote_of(shop, zone), "it has missed the leader")
    LocalVerbs().restore(shop.name, zone)
    shop.heal()
    eventually(lambda: "leader" in vote_of(shop, zone), "it has the leader again")

    after = vote_of(shop, shop.other(zone))
    assert (after["leader"], after["raftTerm"]) == (before["leader"], before["raftTerm"])


LINK = """\
table inet {table} {{
  chain cut {{
    type filter hook forward priority -10; policy accept;
    ip saddr {{ {a} }} ip daddr {{ {b} }} drop
    ip saddr {{ {b} }} ip daddr {{ {a} }} drop
  }}
}}
"""


@contextmanager
def link_lost(site: Site) -> Iterator[None]:
    """Nothing passes between the zones a and b; both reach the witness."""
    a, b = (f"{zone.private}, {zone.public}" for zone in site.zones)
    rules.load(network.router(site), LINK.format(table="cordillera_link", a=a, b=b))
    try:
        yield
    finally:
        rules.unload(network.router(site), "cordillera_link")


@pytest.mark.slow
@pytest.mark.skipif(not is_root(), reason="a link between zones is only there with root")
def test_a_lost_link_between_the_zones_moves_no_writer_and_takes_no_row(shop: Cluster) -> None:
    shop.heal()
    writer, epoch = shop.writer(), shop.epoch()
    with shop.writing(zone=writer) as written:
        with link_lost(shop.site):
            eventually(lambda: shop.confirmed() == {writer}, "it goes on alone")
            written.wait_for_more()
            assert not shop.state().healthy
        shop.heal()
        written.wait_for_more()
    assert (shop.writer(), shop.epoch()) == (writer, epoch)
    assert written.lost() == set()


@pytest.mark.slow
def test_without_two_of_three_places_nobody_writes_until_one_is_back(shop: Cluster) -> None:
    shop.heal()
    writer = shop.writer()
    other = shop.other(writer)
    with shop.writing(zone=writer) as written:
        for place in (WITNESS, other):  # in this order: else the writer might go on alone first
            LocalVerbs().lose(shop.name, place, Loss.KILLED)
        eventually(lambda: not open_servers(shop), "nobody takes writes")
        LocalVerbs().restore(shop.name, WITNESS)
        eventually(lambda: open_servers(shop) == {writer}, "two of three agree")
        written.wait_for_more()
        LocalVerbs().restore(shop.name, other)
        shop.heal()
    assert written.lost() == set()


def open_servers(shop: Cluster) -> set[str]:
    """Zones whose server takes writes, whatever the votes say."""
    return {server.zone for server in asking.survey(shop.site) if server.writable}


def vote_of(shop: Cluster, zone: str) -> dict[str, Any]:
    """What the etcd member of one zone says of itself, asked inside of its zone."""
    at = shop.site.zone(zone)
    dial = partial(_net.dial, shop.site, at)
    members = [(at.private, _etcd.CLIENT_PORT)]
    client = Etcd(
        members, at.files("consensus") / _etcd.PEM, lambda *to: dial(*to[:2], timeout_s=to[2])
    )
    try:
        return client._ask("maintenance/status", {})
    finally:
        client.close()


def leads(vote: dict[str, Any]) -> bool:
    """Whether the member that says so leads."""
    return str(vote["header"]["member_id"]) == vote.get("leader")


@pytest.mark.slow
def test_what_a_replica_received_is_applied_before_it_is_opened(shop: Cluster) -> None:
    shop.heal()
    writer = shop.writer()
    other = shop.other(writer)
    with asking.session(shop.site, shop.site.zone(other)) as lock:
        lock.execute("LOCK TABLES db.orders READ")  # it receives, and cannot apply
        for number in range(20):
            shop.query(f"INSERT INTO orders VALUES ({number})", zone=writer)
        eventually(lambda: other in shop.confirmed(), "the other zone has every row")
        LocalVerbs().lose(shop.name, writer, Loss.KILLED)
        eventually(lambda: shop.holder() == other, "the other keeper has the office")
        assert shop.writer() != other
        lock.execute("UNLOCK TABLES")
    eventually(lambda: shop.writer() == other, "it is open")
    LocalVerbs().restore(shop.name, writer)
    count = "SELECT COUNT(*) FROM orders"
    eventually(lambda: shop.answer(count) == [20], "every row is there")


@pytest.mark.slow
def test_a_replica_that_lost_its_disk_is_rebuilt_over_the_network(shop: Cluster) -> None:
    shop.query("INSERT INTO orders VALUES (1)")
    writer = shop.writer()
    other = shop.other(writer)
    with asking.session(shop.site, shop.site.zone(writer)) as cursor:
        cursor.execute("FLUSH BINARY LOGS")
        cursor.execute("PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY")  # nothing to replay
    data = shop.site.zone(other).state / config.DATA
    LocalVerbs().lose(shop.name, other, Loss.KILLED)
    shutil.rmtree(data)
    data.mkdir(mode=0o700)
    owner = shop.site.uid("database")
    if owner is not None:
        os.chown(data, owner, owner)
    LocalVerbs().restore(shop.name, other)
    shop.heal()
    shop.query("INSERT INTO orders VALUES (2)")
    rows = "SELECT id FROM orders ORDER BY id"
    eventually(lambda: shop.answer(rows, port=config.READER_PORT) == [1, 2], "both rows")


@pytest.mark.slow
def test_a_diverged_replica_is_rebuilt_and_its_old_data_kept(shop: Cluster) -> None:
    other = shop.other(shop.writer())
    with asking.session(shop.site, shop.site.zone(other)) as cursor:
        cursor.execute("STOP SLAVE")
        cursor.execute("INSERT INTO db.orders VALUES (99)")
    kept = shop.site.zone(other).state / config.DATA / "diverged"
    eventually(kept.is_dir, "the keeper makes it anew")
    shop.heal()
    shop.query("INSERT INTO orders VALUES (1)")
    rows = "SELECT id FROM orders"
    eventually(lambda: shop.answer(rows, port=config.READER_PORT) == [1], "the writer's rows only")


@pytest.mark.slow
def test_a_power_cut_of_all_zones_loses_no_acknowledged_row(shop: Cluster) -> None:
    for number in range(50):
        shop.query(f"INSERT INTO orders VALUES ({number})")
    for zone in shop.site.domains:
        LocalVerbs().lose(shop.name, zone.name, Loss.KILLED)
    for zone in shop.site.domains:
        LocalVerbs().restore(shop.name, zone.name)
    shop.heal()
    count = "SELECT COUNT(*) FROM orders"
    assert shop.query(count) == [50]
    eventually(lambda: shop.answer(count, port=config.READER_PORT) == [50], "in both zones")


@pytest.mark.slow
def test_an_app_reaches_its_own_schema_only_and_root_only_from_the_machine(shop: Cluster) -> None:
    assert set(shop.query("SHOW DATABASES")) == {"db", "information_schema"}
    with pytest.raises(pymysql.Error):
        shop.query("SELECT * FROM mysql.user")
    with pytest.raises(pymysql.Error):
        shop.query("SELECT 1", user="root", password=shop.site.vault.get("database/root"))
