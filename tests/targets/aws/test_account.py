"""The account's baseline: the same for all its environments, made once, others' things left alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cordillera.components.wanted import Wanted
from cordillera.core.errors import Refused
from cordillera.targets.aws import _bucket, _draft, _registry, _switches, secrets, threats
from cordillera.targets.aws._cloudformation import Stack, Stacks
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import ACCOUNT, ACCOUNT_STANDBY, site_of
from tests.targets.aws import emulator, examples
from tests.targets.aws.moto_help import assist, customer


def test_the_stack_is_the_same_for_every_environment_and_both_regions(tmp_path: Path) -> None:
    one = examples.templates("hello", tmp_path / "1")
    two = examples.templates("newsroom", tmp_path / "2")

    assert one[ACCOUNT].body == two[ACCOUNT].body == two[ACCOUNT_STANDBY].body
    assert one[ACCOUNT].name == two[ACCOUNT_STANDBY].name == "cordillera-account"
    assert "acme" not in one[ACCOUNT].text
    assert one[ACCOUNT].needs == frozenset()


def test_by_hand_it_makes_a_detector_and_a_trail_and_copies_nothing(tmp_path: Path) -> None:
    made = examples.templates("hello", tmp_path)[ACCOUNT]

    defaults = {name: one["Default"] for name, one in made.body["Parameters"].items()}
    assert defaults == {"DetectorSwitch": "yes", "TrailSwitch": "yes", "ImagesToSwitch": ""}
    assert made.body["Resources"]["Detector"]["Condition"] == "Detector"
    assert set(made.switches) == set(_switches.SWITCHES)


def test_what_is_switched_off_is_not_in_the_plan(tmp_path: Path) -> None:
    want = examples.wanted("hello", tmp_path)
    draft = _draft.draft(want, site_of(want))
    draft.switches[ACCOUNT] = {"DetectorSwitch": ""}

    names = {change.name for change in draft.compare(ACCOUNT)}

    assert "Detector" not in names
    assert {"Trail", "TrailBucket"} <= names


@pytest.fixture
def live(moto: str, number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """An account of its own at moto, with a standby region."""
    for name, value in emulator.credentials(moto).items():
        monkeypatch.setenv(name, value)
    with emulator.clients_made_anew():
        yield Live(site_of(_want(tmp_path, **customer(number))))


def _want(to: Path, **more: object) -> Wanted:
    return examples.wanted("hello", to / "app", standby_region="us-west-1", **more)


@pytest.mark.slow
def test_a_detector_of_somebody_else_is_left_and_told(live: Live) -> None:
    known = threats.Threats()
    fresh = known.switch("Detector", ACCOUNT, live)
    made = live.client("guardduty").create_detector(Enable=True)["DetectorId"]

    found = known.switch("Detector", ACCOUNT, live)
    other = known.switch("Detector", ACCOUNT_STANDBY, live)

    assert fresh == ("yes", "")
    assert found is not None
    assert found.value == ""
    assert made in found.note and "left as it is" in found.note
    assert other == ("yes", ""), "the other region has none"


@pytest.mark.slow
def test_our_own_detector_stays(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    made = live.client("guardduty").create_detector(Enable=True)["DetectorId"]
    monkeypatch.setattr(Live, "holds", lambda self, ref: made if ref == OURS else "")

    assert threats.Threats().switch("Detector", ACCOUNT, live) == ("yes", "")


OURS = Ref(ACCOUNT, threats.DETECTOR)


@pytest.mark.slow
def test_a_trail_of_all_regions_is_enough(live: Live) -> None:
    known = threats.Threats()
    assert known.switch("Trail", ACCOUNT, live) == ("yes", "")
    assert known.switch("Trail", ACCOUNT_STANDBY, live) == ("", "")
    live.client("s3").create_bucket(Bucket="others-trail")
    live.client("cloudtrail").create_trail(
        Name="others", S3BucketName="others-trail", IsMultiRegionTrail=True
    )

    found = known.switch("Trail", ACCOUNT, live)

    assert found is not None
    assert found.value == ""
    assert "the trail others" in found.note


@pytest.mark.slow
def test_a_secret_goes_with_its_copies(live: Live) -> None:
    manager = live.client("secretsmanager")
    manager.create_secret(Name="key", SecretString="x", AddReplicaRegions=[{"Region": "us-west-1"}])

    secrets.delete(manager, "key")

    for region in ("us-east-1", "us-west-1"):
        found = live.client("secretsmanager", region).list_secrets()["SecretList"]
        assert [one["Name"] for one in found] == []


def test_images_are_copied_to_one_region_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Live(site_of(_want(tmp_path)))
    monkeypatch.setattr(Live, "holds", lambda *_: "there")
    there = Stack("1", "account", "CREATE_COMPLETE", parameters={"ImagesToSwitch": "eu-west-1"})
    monkeypatch.setattr(Stacks, "describe", lambda *_: there)

    with pytest.raises(Refused, match="copied to eu-west-1"):
        _registry.Registry().switch("ImagesTo", ACCOUNT, live)
    kept = _registry.Registry().switch("ImagesTo", ACCOUNT_STANDBY, live)
    assert kept == ("eu-west-1", "")


@pytest.mark.slow
def test_the_stack_is_applied_in_both_regions_but_for_what_moto_lacks(
    live: Live, moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, stacks = examples.templates("newsroom", tmp_path), Stacks(live.site)
    assist(monkeypatch, moto)

    for unit in (ACCOUNT, ACCOUNT_STANDBY):
        stacks.make(unit, "cordillera-1", _bucket.upload(made[unit], live.site), {}, new=True)
        stacks.execute(unit, "cordillera-1", "up-1")
        kinds = {kind for _, kind, _ in stacks.resources(unit)}
        wanted = {
            one["Type"]
            for one in made[unit].body["Resources"].values()
            if one.get("Condition") != "ImagesTo"
        }
        assert wanted - kinds == emulator.MOTO_LACKS & wanted, "what moto makes has changed"
