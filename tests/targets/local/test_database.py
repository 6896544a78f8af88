"""The database on one machine: its parts, and what it does when servers die."""

import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pymysql
import pytest
from tests.targets.local import by_hand
from tests.targets.local.by_hand import Hand, eventually

from cordillera.components.database import DatabaseSpec
from cordillera.components.queue import QueueSpec
from cordillera.components.wanted import Wanted
from cordillera.core.errors import NotReady, Refused
from cordillera.core.vault import Vault
from cordillera.targets.local import _mariadb_ask as asking
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local import _mariadb_start as starting
from cordillera.targets.local._mariadb_ask import Server
from cordillera.targets.local._parts import Process, Task
from cordillera.targets.local._site import Isolation, Site
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
            assert "${secret:database/root}" in part.body.files[config.INIT]


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
    writer = server("b", known=asking.gtids("0-1-100,0-2-110"))
    assert asking.diverged(server("a", known=asking.gtids("0-1-105")), writer)
    assert not asking.diverged(server("a", known=asking.gtids("0-1-100")), writer)


def test_a_restarted_writer_goes_on_only_when_a_replica_vouches_for_it() -> None:
    follows_us, follows_nobody = starting.Peer(False, A), starting.Peer(False, "")
    assert starting.choose("", A, [follows_us]) == starting.Role(writable=True)
    assert starting.choose("", A, [follows_nobody]) == starting.Role()
    assert starting.choose("", A, []) == starting.Role()
    assert starting.choose("", A, [starting.Peer(True, "")]) == starting.Role(give_way=True)
    assert starting.choose(B, A, [follows_us]) == starting.Role()


def test_an_interrupted_drain_goes_on_where_it_stopped() -> None:
    assert starting.later("0-1-54", "0-1-60") == "0-1-60"
    assert starting.later("0-1-54", "0-1-54") == "0-1-54"
    assert starting.later("0-1-54", "") == "0-1-54"
    assert starting.later("", "0-1-3") == "0-1-3"


def test_asynchronous_replication_is_called_degraded() -> None:
    replica = server("b", follows=A, receiving=True, applying=True)
    good = server("a", writable=True, semi_sync=True, semi_sync_replicas=1)
    assert asking.trouble([good, replica]) == ""
    assert "degraded" in asking.trouble([server("a", writable=True), replica])


def test_a_promise_without_a_replica_is_trouble() -> None:
    good = server("a", writable=True, semi_sync=True, semi_sync_replicas=1)
    assert "zone b" in asking.trouble([good, server("b", answers=False)])


# -- real servers -------------------------------------------------------------------------------


class Shop:
    """The database of an app, run by hand, and the app's own sessions."""

    def __init__(self, hand: Hand) -> None:
        self.hand, self.site, self.database = hand, hand.site, Database()
        self.parts = {p.name: p for p in self.database.parts(WANT, self.site)}

    def up(self) -> None:
        servers = [p for p in self.parts.values() if isinstance(p.body, Process)]
        self.hand.start(*[p for p in servers if p.name not in self.hand.running])
        for part in self.parts.values():
            if isinstance(part.body, Task):
                task = part.body
                self.hand.perform(partial(self.database.perform, task, self.site, WANT))
                assert self.database.holds(task, self.site)

    def query(self, statement: str, *, zone: str = "a", port: int = 3310) -> list[Any]:
        password = self.site.vault.get("database/db")
        with (
            closing(
                pymysql.connect(
                    host=self.site.zone(zone).private, port=port, user="db", password=password,
                    database="db", autocommit=True, connect_timeout=5, read_timeout=30,
                )
            ) as connection,
            connection.cursor() as cursor,
        ):  # fmt: skip
            cursor.execute(statement)
            return [row[0] for row in cursor.fetchall()]

    def answer(self, statement: str, **where: Any) -> list[Any]:
        """As `query`, but silence is an empty answer."""
        try:
            return self.query(statement, **where)
        except pymysql.Error:
            return []

    def state(self) -> Any:
        return self.database.observe(WANT, self.site)["db"]

    def proxies(self) -> None:
        for zone in self.site.zones:
            self.hand.proxy(zone.name, self.database.endpoints(WANT, self.site))


@pytest.fixture
def shop() -> Iterator[Shop]:
    with by_hand.site() as site:
        hand = Hand(site)
        try:
            yield Shop(hand)
        finally:
            hand.close()


@pytest.mark.slow
def test_what_the_writer_acknowledged_is_in_the_other_zone(shop: Shop) -> None:
    shop.up()
    shop.proxies()
    eventually(lambda: shop.answer("SELECT @@server_id") == [1], "the writer's endpoint")
    eventually(
        lambda: shop.answer("SELECT @@server_id", zone="b", port=3311) == [2], "the reader's"
    )
    shop.query("CREATE TABLE orders (id INT PRIMARY KEY)", zone="b")
    shop.query("INSERT INTO orders VALUES (7)")
    eventually(lambda: shop.answer("SELECT id FROM orders", port=3311) == [7], "the row in zone b")
    state = shop.state()
    assert state.healthy and state.durable and not state.detail
    assert {m.zone: m.role for m in state.members} == {"a": "writer", "b": "replica"}


@pytest.mark.slow
def test_a_power_cut_of_both_zones_loses_no_acknowledged_row(shop: Shop) -> None:
    shop.up()
    shop.query("CREATE TABLE orders (id INT PRIMARY KEY)", port=3306)
    for number in range(50):
        shop.query(f"INSERT INTO orders VALUES ({number})", port=3306)
    shop.hand.kill("mariadb@a")
    shop.hand.kill("mariadb@b")
    shop.up()
    count = "SELECT COUNT(*) FROM orders"
    assert shop.query(count, port=3306) == [50]
    eventually(lambda: shop.answer(count, zone="b", port=3306) == [50], "all rows in zone b")
    assert shop.state().healthy


@pytest.mark.slow
def test_a_lost_replica_degrades_and_comes_back_by_itself(shop: Shop) -> None:
    shop.up()
    shop.query("CREATE TABLE orders (id INT PRIMARY KEY)", port=3306)
    shop.hand.kill("mariadb@b")
    lost = shop.state()
    assert not lost.healthy and not lost.durable and "zone b" in lost.detail
    shop.query("INSERT INTO orders VALUES (1)", port=3306)
    shop.hand.start(shop.parts["mariadb@b"])
    eventually(lambda: shop.state().healthy, "healthy again")
    assert shop.query("SELECT id FROM orders", zone="b", port=3306) == [1]


@pytest.mark.slow
def test_a_writer_that_crashed_goes_on_writing_by_itself(shop: Shop) -> None:
    shop.up()
    shop.query("CREATE TABLE orders (id INT PRIMARY KEY)", port=3306)
    shop.hand.kill("mariadb@a")
    shop.hand.start(shop.parts["mariadb@a"])
    shop.query("INSERT INTO orders VALUES (1)", port=3306)
    eventually(lambda: shop.state().healthy, "healthy again")


@pytest.mark.slow
def test_what_a_replica_received_survives_the_loss_of_both(shop: Shop) -> None:
    shop.up()
    shop.query("CREATE TABLE orders (id INT PRIMARY KEY)", port=3306)
    eventually(lambda: shop.answer("SHOW TABLES", zone="b", port=3306), "the table in zone b")
    with asking.session(shop.site, shop.site.zone("b")) as cursor:
        cursor.execute("STOP SLAVE SQL_THREAD")
    for number in range(20):
        shop.query(f"INSERT INTO orders VALUES ({number})", port=3306)
    shop.hand.kill("mariadb@a")
    shop.hand.kill("mariadb@b")
    shop.hand.start(shop.parts["mariadb@b"])
    assert shop.query("SELECT COUNT(*) FROM orders", zone="b", port=3306) == [20]
    shop.up()
    shop.query("INSERT INTO orders VALUES (20)", port=3306)
    count = "SELECT COUNT(*) FROM orders"
    eventually(lambda: shop.answer(count, zone="b", port=3306) == [21], "replication goes on")


@pytest.mark.slow
def test_a_replica_that_lost_its_disk_is_rebuilt(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shutil import rmtree

    from cordillera.targets.local import _mariadb_cluster

    monkeypatch.setattr(_mariadb_cluster, "MOST_REPLAYED_BYTES", 0)
    shop.up()
    shop.query("CREATE TABLE orders (id INT PRIMARY KEY)", port=3306)
    shop.query("INSERT INTO orders VALUES (1)", port=3306)
    shop.hand.kill("mariadb@b")
    rmtree(shop.site.zone("b").state / config.DATA)
    shop.up()
    shop.query("INSERT INTO orders VALUES (2)", port=3306)
    rows = "SELECT id FROM orders ORDER BY id"
    eventually(lambda: shop.answer(rows, zone="b", port=3306) == [1, 2], "both rows in zone b")
    assert shop.state().healthy


@pytest.mark.slow
def test_a_diverged_replica_is_rebuilt_and_its_old_data_kept(shop: Shop) -> None:
    shop.up()
    shop.query("CREATE TABLE orders (id INT PRIMARY KEY)", port=3306)
    eventually(lambda: shop.answer("SHOW TABLES", zone="b", port=3306), "the table in zone b")
    with asking.session(shop.site, shop.site.zone("b")) as cursor:
        cursor.execute("STOP SLAVE")
        cursor.execute("INSERT INTO db.orders VALUES (99)")
    shop.up()
    shop.query("INSERT INTO orders VALUES (1)", port=3306)
    rows = "SELECT id FROM orders"
    eventually(lambda: shop.answer(rows, zone="b", port=3306) == [1], "the writer's rows only")
    assert (shop.site.zone("b").state / config.DATA / "diverged").is_dir()


@pytest.mark.slow
def test_a_first_start_killed_at_any_moment_is_done_again(shop: Shop) -> None:
    server = shop.parts["mariadb@a"]
    for moment_s in (0.2, 0.35, 0.5, 0.8):
        shop.hand.launch(server)
        time.sleep(moment_s)
        shop.hand.kill(server.name)
    shop.up()
    assert shop.state().healthy


@pytest.mark.slow
def test_a_promoted_server_stays_the_writer(shop: Shop) -> None:
    shop.up()
    shop.proxies()
    shop.query("CREATE TABLE orders (id INT PRIMARY KEY)", port=3306)
    shop.hand.kill("mariadb@a")
    with asking.session(shop.site, shop.site.zone("b")) as cursor:
        cursor.execute("STOP SLAVE")
        cursor.execute("RESET SLAVE ALL")
        cursor.execute("INSERT INTO cordillera.promotion (epoch, zone) VALUES (2, 'b')")
        cursor.execute("SET GLOBAL read_only=0")
    eventually(lambda: shop.answer("SELECT @@server_id") == [2], "the endpoint in zone a moved")
    shop.query("INSERT INTO orders VALUES (1)")
    shop.up()
    assert {m.zone: m.role for m in shop.state().members} == {"a": "replica", "b": "writer"}
    assert shop.query("SELECT id FROM orders", port=3306) == [1]
    shop.hand.kill("mariadb@a")
    shop.hand.kill("mariadb@b")
    shop.up()
    assert {m.zone: m.role for m in shop.state().members} == {"a": "replica", "b": "writer"}


@pytest.mark.slow
def test_an_app_reaches_its_own_schema_only_and_root_only_from_the_machine(shop: Shop) -> None:
    shop.up()
    assert set(shop.query("SHOW DATABASES", port=3306)) == {"db", "information_schema"}
    with pytest.raises(pymysql.Error):
        shop.query("SELECT * FROM mysql.user", port=3306)
    with pytest.raises(pymysql.Error):
        pymysql.connect(
            host=shop.site.zone("a").private, user="root",
            password=shop.site.vault.get("database/root"),
        )  # fmt: skip
