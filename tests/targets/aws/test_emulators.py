"""What each emulator lacks is what its list says, no less and no more; and the second one is applied to."""

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cordillera.core.errors import CordilleraError
from cordillera.targets.aws import _bucket, _client, _draft
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import DATA, NETWORK, STANDBY, site_of
from cordillera.targets.aws.objects import bucket
from cordillera.targets.aws.queue import queue
from tests.targets.aws import emulator, examples

pytestmark = pytest.mark.slow


_ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:*"}


@pytest.fixture
def moto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An account in the second emulator."""
    if not (emulator.BINARIES / "python").exists():
        pytest.skip("the emulators are not installed: scripts/setup dev")
    with emulator.moto(tmp_path) as endpoint:
        for name, value in emulator.credentials(endpoint).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CORDILLERA_HOME", str(tmp_path / "home"))
        for made in (_client._session, _client._made):
            made.cache_clear()
        upload = _bucket.upload
        # moto refuses everything where a policy of a bucket denies anything, whatever the condition.
        monkeypatch.setattr(_bucket, "_only_tls", lambda _: {**_ANYBODY, "Resource": "*"})
        # moto takes a template's address for one of its own buckets only when it looks like Amazon's.
        monkeypatch.setattr(
            _bucket,
            "upload",
            lambda *args: upload(*args).replace(endpoint, "https://s3.amazonaws.com"),
        )
        yield endpoint
        for made in (_client._session, _client._made):
            made.cache_clear()


def test_moto_lacks_what_its_list_says(tmp_path: Path) -> None:
    if not (emulator.BINARIES / "python").exists():
        pytest.skip("the emulators are not installed: scripts/setup dev")
    argv = [str(emulator.BINARIES / "python"), str(Path(__file__).parent / "moto_types.py")]
    made = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120).stdout

    assert examples.kinds(tmp_path) - set(made.split()) == emulator.MOTO_LACKS


def test_ministack_lacks_what_its_list_says(account: str) -> None:
    formation = _client.client(examples.account(), "cloudformation", "us-east-1")

    for kind in sorted(emulator.LACKS):
        body = json.dumps({"Resources": {"One": {"Type": kind}}})
        with pytest.raises(CordilleraError, match=r"Unrecognized resource types"):
            formation.create_change_set(
                StackName="lacking",
                ChangeSetName="one",
                ChangeSetType="CREATE",
                TemplateBody=body,
            )


def test_network_and_data_come_up_in_moto_in_both_regions(moto: str, tmp_path: Path) -> None:
    want = examples.wanted("newsroom", tmp_path / "app")
    draft = _draft.draft(want, site_of(want))

    for unit in (NETWORK, STANDBY, DATA):
        _create(unit, draft)

    live = Live(draft.site)
    there = live.client("s3").list_buckets()["Buckets"]
    assert live.physical(bucket("uploads")) in {one["Name"] for one in there}
    found = live.client("sqs").get_queue_attributes(
        QueueUrl=live.physical(queue("jobs")), AttributeNames=["RedrivePolicy"]
    )["Attributes"]
    assert json.loads(found["RedrivePolicy"])["maxReceiveCount"] == 8


def _create(unit: str, draft: _draft.Draft) -> None:
    """Without a change set: moto forgets the outputs of a stack that was made by one."""
    whole, stacks = draft.templates[unit], Stacks(draft.site)
    made = dataclasses.replace(whole, body=emulator.stripped(dict(whole.body), emulator.MOTO_LACKS))
    found = {one: stacks.describe(one) for one in whole.needs}
    known = _draft.values(made, {one: s.outputs for one, s in found.items() if s}) or {}
    formation = _client.client(draft.site.account, "cloudformation", made.region)
    formation.create_stack(
        StackName=made.name,
        TemplateURL=_bucket.upload(made, draft.site),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in known.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    done = stacks.describe(unit)
    assert done is not None and done.status == "CREATE_COMPLETE", done
