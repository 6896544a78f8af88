"""What each emulator lacks is what its list says, no less and no more."""

import json
import subprocess
from pathlib import Path

import pytest

from cordillera.core.errors import CordilleraError
from cordillera.targets.aws import _client
from tests.targets.aws import emulator, examples

pytestmark = pytest.mark.slow


def test_moto_lacks_what_its_list_says(tmp_path: Path) -> None:
    emulator.refuse_without()
    argv = [str(emulator.BINARIES / "python"), str(Path(__file__).parent / "moto_types.py")]
    made = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120).stdout

    assert examples.kinds(tmp_path) - set(made.split()) == emulator.MOTO_LACKS


def test_ministack_lacks_what_its_list_says(account: str) -> None:
    formation = _client.client(examples.account(), "cloudformation", "us-east-1")

    for kind in sorted(emulator.LACKS):
        body = json.dumps({"Resources": {"One": {"Type": kind}}})
        with pytest.raises(CordilleraError, match=rf"Unrecognized resource types: \[{kind}\]"):
            formation.create_change_set(
                StackName="lacking",
                ChangeSetName="one",
                ChangeSetType="CREATE",
                TemplateBody=body,
            )
