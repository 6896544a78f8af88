"""The queue on one machine: what SDKs see, and what nobody loses."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.targets.local.by_hand import eventually
from tests.targets.local.whole import Environment

from cordillera.components.queue import QueueSpec
from cordillera.targets.local import _found
from cordillera.targets.local._sqs import md5, messages, query_protocol, queues, signature
from cordillera.targets.local._sqs.errors import SqsError
from cordillera.targets.local._sqs.queues import Queue
from cordillera.targets.local.queue import attributes, dead_name

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PLAIN, FIFO = Queue(1, "q", {}, 0, 0), Queue(2, "q.fifo", {}, 0, 0)

SQS = """
import boto3, os, threading, time
from botocore.exceptions import ClientError
sqs = boto3.client("sqs")
def made(name, **attributes):
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
def bodies(url, **more):
    return [m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, **more).get("Messages", [])]
"""


def signed(body: bytes, *, secret: str = "secret", at: datetime = NOW) -> dict[str, str]:
    """Headers as botocore makes them."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    asked = AWSRequest("POST", "http://h:1/", data=body, headers={"X-Amz-Target": "AmazonSQS.X"})
    auth = SigV4Auth(Credentials("key", secret), "sqs", "us-east-1")
    asked.context["timestamp"] = stamp
    asked.headers["X-Amz-Date"] = stamp
    asked.headers["Host"] = "h:1"
    text = auth.string_to_sign(asked, auth.canonical_request(asked))
    auth._inject_signature_to_request(asked, auth.signature(text, asked))
    return {name.lower(): value for name, value in asked.headers.items()}


def checked(headers: dict[str, str], body: bytes, *, now: datetime = NOW) -> None:
    signature.check("POST", "/", "", headers, body, keys={"key": "secret"}, now=now)


def test_a_good_signature_passes() -> None:
    checked(signed(b"{}"), b"{}")


@pytest.mark.parametrize("case", ["body", "secret", "old", "none", "who"])
def test_a_bad_signature_does_not(case: str) -> None:
    headers = signed(b"{}", secret="other" if case == "secret" else "secret")
    if case == "none":
        headers.pop("authorization", None)
    if case == "who":
        headers["authorization"] = headers["authorization"].replace("key/", "nobody/")
    now = NOW + timedelta(minutes=16) if case == "old" else NOW

    with pytest.raises(SqsError) as found:
        checked(headers, b"[]" if case == "body" else b"{}", now=now)
    assert found.value.status == 403


def test_the_md5_of_attributes_is_the_one_that_sdks_check() -> None:
    # Known from the SDKs' own tests: name, type and value with their lengths, in order of the names.
    one = {"name": {"DataType": "String", "StringValue": "value"}}

    assert md5.of_attributes({}) == ""
    assert md5.of_attributes(one) != md5.of_attributes({"eman": one["name"]})
    assert md5.of_body("hello") == "5d41402abc4b2a76b9719d911017c592"


@pytest.mark.parametrize(
    ("queue", "asked"),
    [
        (PLAIN, {}),
        (PLAIN, {"MessageBody": "a\x01"}),
        (PLAIN, {"MessageBody": "x" * (2**20 + 1)}),
        (PLAIN, {"MessageBody": "x", "DelaySeconds": 901}),
        (
            PLAIN,
            {
                "MessageBody": "x",
                "MessageAttributes": {"a": {"DataType": "Text", "StringValue": "b"}},
            },
        ),
        (FIFO, {"MessageBody": "x"}),
        (FIFO, {"MessageBody": "x", "MessageGroupId": "g"}),
        (
            FIFO,
            {
                "MessageBody": "x",
                "MessageGroupId": "g",
                "MessageDeduplicationId": "d",
                "DelaySeconds": 1,
            },
        ),
    ],
)
def test_what_is_no_message_is_refused(queue: Queue, asked: dict[str, object]) -> None:
    with pytest.raises(SqsError):
        messages.new(queue, asked)


def test_attributes_of_queues_are_checked() -> None:
    with pytest.raises(SqsError):
        queues.checked("q", {"VisibilityTimeout": "43201"})
    with pytest.raises(SqsError):
        queues.checked("q", {"Nonsense": "1"})
    with pytest.raises(SqsError):
        queues.checked("q", {"FifoQueue": "true"})


def test_the_manifest_becomes_attributes() -> None:
    spec = QueueSpec.model_validate(
        {"type": "queue", "fifo": True, "dead_letter": {"after": 3}, "delay": "5s"}
    )

    made = attributes("jobs.fifo", spec)

    assert dead_name("jobs.fifo") == "jobs-dead.fifo"
    assert made["DelaySeconds"] == "5"
    assert json.loads(made["RedrivePolicy"])["deadLetterTargetArn"].endswith(":jobs-dead.fifo")


def test_the_older_protocol_is_read_and_written() -> None:
    body = (
        b"Action=SendMessageBatch&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=x"
        b"&SendMessageBatchRequestEntry.2.Id=b&SendMessageBatchRequestEntry.2.MessageBody=y&Version=2012-11-05"
    )

    action, asked = query_protocol.read(body)

    assert action == "SendMessageBatch"
    assert [e["MessageBody"] for e in asked["Entries"]] == ["x", "y"]
    text = query_protocol.write("ReceiveMessage", {"Messages": [{"Body": "<&>"}]}, "1")
    assert "<Message><Body>&lt;&amp;&gt;</Body></Message>" in text


@pytest.mark.slow
def test_messages_are_hidden_come_again_and_are_deleted(shop: Environment) -> None:
    told = shop.inside(
        SQS
        + """
url = made("basics")
sqs.send_message(QueueUrl=url, MessageBody="hóla", MessageAttributes={
    "s": {"DataType": "String", "StringValue": "x"}, "b": {"DataType": "Binary", "BinaryValue": b"\\x00\\xff"}})
m = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], AttributeNames=["All"])["Messages"][0]
print(m["Body"], m["MessageAttributes"]["b"]["BinaryValue"], m["Attributes"]["ApproximateReceiveCount"])
print(bodies(url))
sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"], VisibilityTimeout=0)
m = sqs.receive_message(QueueUrl=url)["Messages"][0]
sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
print(bodies(url), sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"])
"""
    )

    assert told.splitlines() == ["hóla b'\\x00\\xff' 1", "[]", "[] 0"]


@pytest.mark.slow
def test_a_long_poll_wakes_up_and_a_delay_holds(shop: Environment) -> None:
    told = shop.inside(
        SQS
        + """
url = made("polls")
later = threading.Timer(0.7, lambda: boto3.client("sqs").send_message(QueueUrl=url, MessageBody="late"))
later.start(); began = time.time()
print(bodies(url, WaitTimeSeconds=20), time.time() - began < 10)
sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=1)
print(bodies(url), bodies(url, WaitTimeSeconds=10))
"""
    )

    assert told.splitlines() == ["['late'] True", "[] ['delayed']"]


@pytest.mark.slow
def test_a_receiver_that_hung_up_gets_no_message(shop: Environment) -> None:
    told = shop.inside(
        SQS
        + """
import subprocess, sys
url = made("hangups")
wait = "import boto3; boto3.client('sqs').receive_message(QueueUrl='%s', WaitTimeSeconds=20)" % url
waiting = [subprocess.Popen([sys.executable, "-c", wait]) for _ in range(3)]
time.sleep(3)
for one in waiting:
    one.kill(); one.wait()
time.sleep(0.5)
sqs.send_message(QueueUrl=url, MessageBody="for the living")
print(bodies(url, WaitTimeSeconds=3))
"""
    )

    assert told.strip() == "['for the living']"


@pytest.mark.slow
def test_batches_dead_letters_and_order(shop: Environment) -> None:
    told = shop.inside(
        SQS
        + """
url = made("batches")
r = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "a"}, {"Id": "2", "MessageBody": "b\\x01"}])
print([s["Id"] for s in r["Successful"]], [f["Id"] for f in r["Failed"]])

dead = made("poison-dead")
arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
url = made("poison", RedrivePolicy='{"deadLetterTargetArn": "%s", "maxReceiveCount": 2}' % arn)
sqs.send_message(QueueUrl=url, MessageBody="p")
print([bodies(url, VisibilityTimeout=0) for _ in range(3)], bodies(dead, VisibilityTimeout=0))
sqs.start_message_move_task(SourceArn=arn)
print(bodies(url), bodies(dead))

url = made("order.fifo", FifoQueue="true")
for i in (0, 1, 2, 3, 0):
    sqs.send_message(QueueUrl=url, MessageBody=str(i), MessageGroupId="g%d" % (i % 2), MessageDeduplicationId=str(i))
first = sqs.receive_message(QueueUrl=url)["Messages"][0]
print(first["Body"], bodies(url), bodies(url))
sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
print(bodies(url))
"""
    )

    assert told.splitlines() == [
        "['1'] ['2']",
        "[['p'], ['p'], []] ['p']",
        "['p'] []",
        "0 ['1', '3'] []",
        "['2']",
    ]


@pytest.mark.slow
def test_nobody_without_the_keys_is_let_in(shop: Environment) -> None:
    told = shop.inside(
        SQS
        + """
try:
    boto3.client("sqs", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], aws_secret_access_key="no").list_queues()
except ClientError as e:
    print(e.response["Error"]["Code"])
try:
    sqs.send_message(QueueUrl=os.environ["JOBS_QUEUE_URL"] + "x", MessageBody="x")
except sqs.exceptions.QueueDoesNotExist as e:
    print(type(e).__name__)
"""
    )

    assert told.splitlines() == ["SignatureDoesNotMatch", "QueueDoesNotExist"]


@pytest.mark.slow
def test_four_consumers_share_and_none_gets_anothers(shop: Environment) -> None:
    told = shop.inside(
        SQS
        + """
from concurrent.futures import ThreadPoolExecutor
url = made("shared")
for start in range(0, 200, 10):
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": str(start + i)} for i in range(10)])
def consume(_):
    own, got = boto3.client("sqs"), []
    while found := own.receive_message(QueueUrl=url, MaxNumberOfMessages=3).get("Messages"):
        got += [m["Body"] for m in found]
        for m in found:
            own.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
    return got
with ThreadPoolExecutor(4) as pool:
    got = [body for part in pool.map(consume, range(4)) for body in part]
print(len(got), len(set(got)))
"""
    )

    assert told.strip() == "200 200"


@pytest.mark.slow
def test_messages_survive_kill_9_of_fronts_and_database(shop: Environment) -> None:
    shop.inside(
        SQS + 'url = made("kept")\nsqs.send_message(QueueUrl=url, MessageBody="still here")'
    )
    leaders = _found.leaders(_found.scan("shop/test"))
    _found.kill([leaders["queue/front@a"], leaders["queue/front@b"], leaders["database/mariadb@a"]])

    eventually(lambda: shop.state().healthy, "healed by its supervisors")

    assert (
        shop.inside(SQS + 'print(bodies(made("kept"), WaitTimeSeconds=10))').strip()
        == "['still here']"
    )
