"""Objects on one machine: what an app does with a bucket, and what a browser may."""

import pytest
from tests.targets.local.whole import Environment

from cordillera.components.objects import ObjectsSpec
from cordillera.targets.local import _objects_ask, _objects_shell, _published
from cordillera.targets.local.objects import bucket_of

S3 = """
import os, urllib.error, urllib.request
import boto3
from botocore.exceptions import ClientError
s3, bucket = boto3.client("s3"), os.environ["UPLOADS_BUCKET"]
at = os.environ["AWS_ENDPOINT_URL_S3"] + "/" + bucket + "/"
def anybody(key, method="GET"):
    asked = urllib.request.Request(at + key, method=method, data=b"x" if method == "PUT" else None)
    try:
        return urllib.request.urlopen(asked).status
    except urllib.error.HTTPError as e:
        return e.code
"""


def test_a_volume_that_lies_in_one_zone_only_is_alone() -> None:
    assert _objects_ask.alone({1: {"a", "b"}, 2: {"a"}}, 2) == [2]


def test_what_a_zone_lacks_is_told_of_those_that_answer() -> None:
    assert _objects_ask.lacking({"a": {1: 500, 2: 30}, "b": {1: 500}}) == {"b": 30}
    assert _objects_ask.lacking({"a": {1: 500, 2: 30}, "b": None}) == {}
    assert _objects_ask.layout({"a": {1: 500}, "b": None}) == {1: {"a"}}


def test_a_prefix_that_could_break_the_edge_is_refused() -> None:
    with pytest.raises(ValueError, match="pattern"):
        ObjectsSpec(type="objects", public=["media/;deny all/"])


@pytest.mark.slow
def test_an_app_writes_reads_lists_and_deletes(shop: Environment) -> None:
    told = shop.inside(
        S3
        + """
s3.put_object(Bucket=bucket, Key="private/a", Body=b"one", ServerSideEncryption="AES256")
big = os.urandom(9 << 20)
s3.put_object(Bucket=bucket, Key="private/big", Body=big)
assert s3.get_object(Bucket=bucket, Key="private/big")["Body"].read() == big
print(s3.get_object(Bucket=bucket, Key="private/a")["Body"].read())
print([o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix="private/")["Contents"]])
s3.delete_object(Bucket=bucket, Key="private/big")
try:
    s3.get_object(Bucket=bucket, Key="private/big")
except ClientError as e:
    print(e.response["Error"]["Code"])
""",
    )

    assert told.splitlines() == ["b'one'", "['private/a', 'private/big']", "NoSuchKey"]


@pytest.mark.slow
def test_only_public_prefixes_are_read_without_a_signature(shop: Environment) -> None:
    told = shop.inside(
        S3
        + """
s3.put_object(Bucket=bucket, Key="private/y", Body=b"secret")
s3.put_object(Bucket=bucket, Key="media/y", Body=b"seen")
print(anybody("media/y"), anybody("private/y"), anybody("?list-type=2"), anybody("media/z", "PUT"))
try:
    boto3.client("s3", aws_access_key_id="no", aws_secret_access_key="no").list_buckets()
except ClientError as e:
    print(e.response["Error"]["Code"])
""",
    )

    assert told.splitlines() == ["200 403 403 403", "InvalidAccessKeyId"]


@pytest.mark.slow
def test_a_browser_reads_public_objects_at_the_published_address(shop: Environment) -> None:
    shop.inside(S3 + 's3.put_object(Bucket=bucket, Key="media/pic", Body=b"picture")')

    assert _published.get(shop.site, "/media/pic").status == 200
    assert _published.get(shop.site, "/private/y").status == 404  # the app's own answer


@pytest.mark.slow
def test_every_object_lies_in_both_zones(shop: Environment) -> None:
    shop.inside(S3 + 's3.put_object(Bucket=bucket, Key="two", Body=b"2")')

    layout = _objects_ask.held_volumes(shop.site)
    assert layout
    assert _objects_ask.alone(layout, 2) == []
    leader = _objects_ask.leader_of(shop.site)
    assert leader is not None
    assert _objects_ask.known_by(shop.site, leader) == layout
    assert bucket_of(shop.want, "uploads") in _objects_shell.buckets(shop.site)
    found = shop.state().resources["uploads"]
    assert (found.healthy, found.durable) == (True, True)
