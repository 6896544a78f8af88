"""A whole environment: what an app finds in it, what nobody else does, and what outlives a reboot."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.rigs import left_on_machine
from tests.targets.local import whole
from tests.targets.local.whole import Environment

from cordillera.core.process import is_root
from cordillera.targets.local import _found, _mail_box, network
from cordillera.targets.local._engine import LocalEngine
from cordillera.targets.local._parts import SECRET
from cordillera.targets.local.components import build
from cordillera.targets.local.service import with_releases

pytestmark = pytest.mark.slow

CLIENTS = """
import os, boto3, pymysql, redis, smtplib
from urllib.parse import urlsplit
at = urlsplit(os.environ["DATABASE_URL"])
db = pymysql.connect(host=at.hostname, port=at.port, user=at.username, password=at.password,
    database=at.path[1:], autocommit=True).cursor()
cache = redis.Redis.from_url(os.environ["REDIS_URL"])
s3, bucket = boto3.client("s3"), os.environ["UPLOADS_BUCKET"]
sqs, queue = boto3.client("sqs"), os.environ["JOBS_QUEUE_URL"]
def letter(subject):
    at = urlsplit(os.environ["SMTP_URL"])
    with smtplib.SMTP(at.hostname, at.port) as smtp:
        smtp.sendmail(os.environ["MAIL_FROM"], ["a@b.example"], f"Subject: {subject}\\n\\nhello\\n")
"""


@pytest.fixture(scope="module")
def neighbour(shop: Environment) -> Iterator[Environment]:
    """Another environment in the same home, with nothing but a service."""
    with whole.environment(whole.wanted("other/test", {}), shop.home) as made:
        yield made


def test_everything_is_healthy_and_a_second_up_changes_nothing(shop: Environment) -> None:
    state = shop.state()

    assert state.healthy, state
    assert set(state.resources) == set(whole.RESOURCES)
    assert {n for n, r in state.resources.items() if not r.durable} == {"search", "mail", "cache"}
    assert shop.up() == []


def test_the_app_uses_every_resource_by_its_variables(shop: Environment) -> None:
    told = shop.inside(
        CLIENTS
        + """
db.execute("CREATE TABLE t (x VARCHAR(40))"); db.execute("INSERT INTO t VALUES ('a row')")
cache.set("k", "a value"); s3.put_object(Bucket=bucket, Key="k", Body=b"an object")
sqs.send_message(QueueUrl=queue, MessageBody="a message"); letter("a letter")
db.execute("SELECT x FROM t"); print(db.fetchone()[0], cache.get("k"))
"""
    )

    assert told.strip() == "a row b'a value'"


def test_everything_killed_as_by_a_reboot_comes_back_with_its_data(shop: Environment) -> None:
    site = shop.site
    _found.kill(_found.scan(shop.want.environment))
    network.remove(site)
    shutil.rmtree(site.run, ignore_errors=True)
    assert not shop.state().healthy

    shop.up()

    assert shop.state().healthy, shop.state()
    told = shop.inside(
        CLIENTS
        + """
db.execute("SELECT x FROM t"); print(db.fetchone()[0])
print(cache.get("k").decode()); print(s3.get_object(Bucket=bucket, Key="k")["Body"].read().decode())
print(sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"])
"""
    )
    assert told.splitlines() == ["a row", "a value", "an object", "a message"]
    assert [m.subject for m in _mail_box.list_mails(site)] == ["a letter"]


def test_no_secret_is_in_a_process_list_a_log_or_on_the_disk(shop: Environment) -> None:
    want = with_releases(shop.want)
    bodies = " ".join(str(part.body) for part in build(want, shop.site))
    names = {n for n in SECRET.findall(bodies) if not n.startswith("tls/")}
    values = [shop.site.vault.get(name).encode() for name in names]
    assert len(values) > 10

    pids = [f.pid for f in _found.scan(shop.want.environment)]
    commands = [
        Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids if Path(f"/proc/{pid}").exists()
    ]
    for value in values:
        assert not any(value in command for command in commands)
    written = [p for p in (shop.home / "state").rglob("*") if p.is_file() and not p.is_symlink()]
    assert any(p.name.startswith("binlog.0") for p in written)
    told = {str(p) for p in written for value in values if value in p.read_bytes()}
    of_its_own = {
        str(p) for p in written if p.name == "master.info"
    }  # MariaDB keeps it nowhere else
    assert told - of_its_own == set()
    assert {Path(p).stat().st_mode & 0o777 for p in of_its_own} == {0o600}


@pytest.mark.skipif(
    not is_root(), reason="without root only loopback addresses keep environments apart"
)
def test_neighbours_reach_nothing_of_each_other(shop: Environment, neighbour: Environment) -> None:
    addresses = [z.private for z in shop.site.domains] + [z.public for z in shop.site.zones]
    ports = [
        3306,
        3310,
        6380,
        6381,
        8080,
        8333,
        8334,
        8888,
        9200,
        9201,
        9324,
        9325,
        9333,
        2525,
        2526,
        26380,
    ]
    copies = [p for p in shop.site.ports.values() if p]
    trial = f"""
import socket
open_ = []
for address in {addresses}:
    for port in {ports + copies}:
        with socket.socket() as s:
            s.settimeout(0.15)
            if s.connect_ex((address, port)) == 0:
                open_.append((address, port))
print(open_)
"""

    assert neighbour.inside(trial).strip() == "[]"
    with socket.socket() as outside:  # another user of this machine: the published address only
        outside.settimeout(0.3)
        assert outside.connect_ex((shop.site.zones[0].private, 3306)) != 0
    assert shop.site.listen != neighbour.site.listen


@pytest.mark.skipif(not is_root(), reason="without root every process has the same user")
def test_a_neighbours_files_are_closed(shop: Environment, neighbour: Environment) -> None:
    told = neighbour.inside(
        f"""
import os
def opened(path):
    try:
        os.listdir(path); return True
    except OSError:
        return False
print([p for p in {[str(shop.site.state), str(shop.site.run), str(shop.site.zones[0].state / "database")]}
       if opened(p)], os.listdir("/tmp"))
"""
    )

    assert told.startswith("[] ")


def test_nothing_is_left_after_destroy(shop: Environment) -> None:
    name = shop.want.environment
    LocalEngine().destroy(shop.at)

    assert _found.scan(name) == []
    assert left_on_machine() == []
    assert not shop.site_folders_left()
    mounts = Path("/proc/self/mounts").read_text()
    for own in (shop.home / "run" / str(shop.number), shop.home / "state" / name):
        assert f" {own}" not in mounts
    rules = subprocess.run(
        ["nft", "list", "tables"], capture_output=True, text=True, check=False
    ).stdout
    assert f"cordillera_{shop.number}" not in rules
