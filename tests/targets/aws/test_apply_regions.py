"""An environment with a standby region against the emulator: its stacks in three regions, two accounts.

No real AWS was reachable when this was written.
"""

from pathlib import Path

import pytest

from cordillera.components.protocol import Place
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _client, _edge_word, _home, _observe, secrets
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._engine import AwsEngine
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._public import DISTRIBUTION
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import STANDBY_APP, UNITS, Site, site_of
from cordillera.targets.aws._verbs import AwsVerbs
from tests.targets.aws import emulator, examples
from tests.targets.aws.applied import up

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("databases")]
HERE, THERE = "eu-central-1", "eu-west-1"
AT = Place(examples.ENVIRONMENT, HERE)
NOT_HERE = ["account-standby"]
"""All of it is switched off or lacking at the emulator."""


def wanted(to: Path) -> Wanted:
    return examples.wanted(
        "hello",
        to,
        region=HERE,
        standby_region=THERE,
        services={"web": {"image": "hello:1"}},
        resources={"db": {"type": "database"}},
        edge={"cache": ["/static/*"]},
        watch={
            "webhook": "https://on-call.example/hook",
            "alarms": {"o": {"metric": "O", "above": 1}},
        },
    )


def test_all_stacks_stand_in_their_regions_and_nothing_is_left_to_do(
    account: str, tmp_path: Path
) -> None:
    want = wanted(tmp_path)
    site = site_of(want)
    _home.save_wanted(want)
    AwsVerbs().set_secret(examples.ENVIRONMENT, "API_KEY", "x")

    up(want)

    _a_chosen_secret_has_a_copy(site)
    assert AwsEngine().plan(want, AT).changes == ()
    stacks = Stacks(site)
    missing = [unit for unit in UNITS if stacks.describe(unit) is None]
    assert missing == NOT_HERE
    live = Live(site)
    waiting = live.client("ecs", THERE).describe_services(
        cluster=live.physical(Ref(STANDBY_APP, "Cluster")),
        services=[live.physical(Ref(STANDBY_APP, "WebService"))],
    )["services"][0]
    assert waiting["desiredCount"] == 0
    url = _observe._url(want, live)
    assert url.startswith("https://") and "cloudfront" in url
    _the_word_is_the_same_at_both_ends(live)


def _a_chosen_secret_has_a_copy(site: Site) -> None:
    there = Live(site).client("secretsmanager", THERE)
    name = secrets.chosen_name(examples.ENVIRONMENT, "API_KEY")
    assert there.get_secret_value(SecretId=name)["SecretString"] == "x"


def _the_word_is_the_same_at_both_ends(live: Live) -> None:
    config = live.client("cloudfront", "us-east-1").get_distribution_config(
        Id=live.physical(DISTRIBUTION)
    )["DistributionConfig"]
    said = config["Origins"]["Items"][0]["CustomHeaders"]["Items"][0]
    kept = live.client("secretsmanager").get_secret_value(SecretId=live.physical(_edge_word.WORD))[
        "SecretString"
    ]
    assert (said["HeaderName"], said["HeaderValue"]) == (_edge_word.HEADER, kept)


def test_two_accounts_do_not_see_each_other(
    account: str, endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    up(wanted(tmp_path / "1"))
    for name, value in emulator.credentials(endpoint, "222222222222").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CORDILLERA_HOME", str(tmp_path / "home-2"))
    with emulator.clients_made_anew():
        _see_nothing_of_the_first(tmp_path)


def _see_nothing_of_the_first(tmp_path: Path) -> None:
    assert Stacks(site_of(wanted(tmp_path / "2"))).describe("account") is None
    assert len(AwsEngine().plan(wanted(tmp_path / "3"), AT).changes) > 100

    up(wanted(tmp_path / "4"))

    assert AwsEngine().plan(wanted(tmp_path / "5"), AT).changes == ()
    theirs = _client.client(site_of(wanted(tmp_path / "6")).account, "sts", HERE)
    assert theirs.get_caller_identity()["Account"] == "222222222222"


def test_destroy_leaves_the_accounts_own_stacks_and_no_empty_vault(
    account: str, tmp_path: Path
) -> None:
    want = wanted(tmp_path)
    up(want)

    AwsEngine().destroy(AT)

    stacks = Stacks(site_of(want))
    left = [unit for unit in UNITS if stacks.describe(unit)]
    assert left == ["account"]
    for region in (HERE, THERE):
        backups = _client.client(want.account, "backup", region)
        assert backups.list_backup_vaults()["BackupVaultList"] == []


def test_what_ministack_lacks_it_really_lacks_and_the_rest_it_has(tmp_path: Path) -> None:
    emulator.refuse_without()
    has = emulator.makes()
    used = examples.kinds(tmp_path)

    assert sorted(emulator.LACKS & has) == [], "it makes them by now: take them off the list"
    assert sorted(used - has - emulator.LACKS) == [], "a new gap"
