"""Losing a zone: every resource goes on in the other one, and nothing that was acknowledged is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from tests.targets.local.by_hand import eventually
from tests.targets.local.whole import Environment

from cordillera.components.target import Loss
from cordillera.core.errors import CordilleraError
from cordillera.targets.local import _mail_box, _objects_ask, _votes_ask
from cordillera.targets.local._keeper.stores import COPIES, FILLING
from cordillera.targets.local._verbs import LocalVerbs

pytestmark = pytest.mark.slow
WITHIN_S = 90.0

CLIENTS = """
import os, boto3, pymysql, redis, smtplib
from botocore.config import Config
from urllib.parse import urlsplit
quick = Config(retries={"max_attempts": 1}, connect_timeout=2, read_timeout=3)
at = urlsplit(os.environ["DATABASE_URL"])
db = pymysql.connect(host=at.hostname, port=at.port, user=at.username, password=at.password,
    database=at.path[1:], autocommit=True, read_timeout=5, ssl_disabled=True).cursor()
cache = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=3)
s3, bucket = boto3.client("s3", config=quick), os.environ["UPLOADS_BUCKET"]
sqs, queue = boto3.client("sqs", config=quick), os.environ["JOBS_QUEUE_URL"]
"""
WRITE = (
    CLIENTS
    + """
db.execute("CREATE TABLE IF NOT EXISTS losses (x VARCHAR(40) PRIMARY KEY)")
db.execute("REPLACE INTO losses VALUES ('THIS_ONE')")
cache.set("THIS_ONE", "v")
s3.put_object(Bucket=bucket, Key="THIS_ONE", Body=b"THIS_ONE")
sqs.send_message(QueueUrl=queue, MessageBody="THIS_ONE")
with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"]), timeout=5) as post:
    post.sendmail("shop@example.org", ["a@example.org"], "Subject: THIS_ONE\\n\\ntext")
print("written")
"""
)
READ = (
    CLIENTS
    + """
keys = ALL_OF_THEM
db.execute("SELECT x FROM losses")
assert set(keys) <= set(x for x, in db.fetchall()), "rows"
assert all(cache.get(key) == b"v" for key in keys), "cache"
assert all(s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode() for key in keys), "objects"
found = set()
for _ in range(20):
    found |= {m["Body"] for m in sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0, WaitTimeSeconds=0).get("Messages", [])}
    if set(keys) <= found:
        break
assert set(keys) <= found, "messages"
print("read")
"""
)


def goes(shop: Environment, code: str, zone: str) -> bool:
    """Whether that code runs to its end in a zone."""
    try:
        return shop.inside(code, zone=zone).strip() in ("written", "read")
    except (AssertionError, CordilleraError) as e:
        print(f"zone {zone}: {str(e).strip().splitlines()[-1]}")
        return False


def healed(shop: Environment) -> None:
    eventually(lambda: shop.state().healthy, f"healthy: {shop.state()}", within_s=120)


def subjects(shop: Environment) -> set[str]:
    """Of the mails that were captured, in whichever zone."""
    return {mail.subject for mail in _mail_box.list_mails(shop.site)}


def copies_of(shop: Environment) -> str:
    """In how many zones new objects lie, as the votes have it; empty while they do not answer."""
    found = _votes_ask.asked(shop.site, lambda client: client.read(COPIES))
    return found[0].value if found and found[0] else ""


@contextmanager
def zone_lost(shop: Environment, zone: str) -> Iterator[None]:
    """Everything in it killed for the block, and back afterwards whatever happens."""
    LocalVerbs().lose(shop.want.environment, zone, Loss.KILLED)
    try:
        yield
    finally:
        LocalVerbs().restore(shop.want.environment, zone)


@pytest.mark.parametrize(("lost", "left"), [("a", "b"), ("b", "a")])
def test_with_a_zone_lost_every_resource_goes_on(shop: Environment, lost: str, left: str) -> None:
    healed(shop)
    before, during = f"before-{lost}", f"during-{lost}"
    assert shop.inside(WRITE.replace("THIS_ONE", before), zone=lost) == "written\n"
    assert not _objects_ask.alone(_objects_ask.held_volumes(shop.site), len(shop.site.zones))

    write = WRITE.replace("THIS_ONE", during)
    read = READ.replace("ALL_OF_THEM", str([before, during]))
    with zone_lost(shop, lost):
        eventually(lambda: goes(shop, write, left), "writes go on", within_s=WITHIN_S)
        eventually(lambda: goes(shop, read, left), "reads go on", within_s=WITHIN_S)
        assert not shop.state().healthy
    healed(shop)
    with zone_lost(shop, left):  # what was written without it is in the one that came back
        eventually(lambda: goes(shop, read, lost), "everything is there", within_s=WITHIN_S)
    healed(shop)
    eventually(lambda: {before, during} <= subjects(shop), "both mails went out")


def test_a_zone_lost_again_while_it_is_filled_hides_no_object(shop: Environment) -> None:
    healed(shop)
    keys = [f"again-{number}" for number in range(2)]
    for key in keys:
        with zone_lost(shop, "b"):
            write = WRITE.replace("THIS_ONE", key)
            eventually(partial(goes, shop, write, "a"), "writes go on", within_s=WITHIN_S)
        eventually(lambda: copies_of(shop) == FILLING, "it is filled")

    read = READ.replace("ALL_OF_THEM", str(keys))
    with zone_lost(shop, "b"):
        eventually(partial(goes, shop, read, "a"), "read here", within_s=WITHIN_S)
    healed(shop)
    with zone_lost(shop, "a"):
        eventually(partial(goes, shop, read, "b"), "read there", within_s=WITHIN_S)
    healed(shop)


def test_the_witness_is_not_missed(shop: Environment) -> None:
    healed(shop)

    with zone_lost(shop, "witness"):
        for zone in ("a", "b"):
            write = WRITE.replace("THIS_ONE", f"without-witness-{zone}")
            eventually(partial(goes, shop, write, zone), "writes go on", within_s=WITHIN_S)
        assert not shop.state().healthy
    healed(shop)
