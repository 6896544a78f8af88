"""Alarms, events, backups: for what there is, told to somebody, owned once."""

from pathlib import Path
from typing import Any

import pytest

from cordillera.components.database import DatabaseSpec
from cordillera.targets.aws import _dashboard, _resource_alarms, backup
from cordillera.targets.aws._parts import AwsPart, Plain, held, part, ref
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import DATA
from tests.targets.aws import examples


def operations(to: Path, app: str = "newsroom", **overlay: object) -> dict[str, Any]:
    return dict(examples.templates(app, to, **overlay)["operations"].body["Resources"])


def alarmed(*parts: AwsPart) -> set[str]:
    return {alarm.id for alarm in _resource_alarms.of(parts)}


def a(kind: str, name: str, **properties: object) -> AwsPart:
    return part("any", DATA, Plain(kind, name, properties))


def test_a_service_is_watched_for_cpu_memory_and_copies(tmp_path: Path) -> None:
    made = operations(tmp_path)

    assert {"WebBusy", "WebFull", "WebTooFew", "WorkerBusy", "WorkerTooFew"} <= set(made)
    assert made["WebTooFew"]["Properties"]["TreatMissingData"] == "breaching"
    assert {"Errors", "SlowAnswers", "SickCopies", "CertificateExpires"} <= set(made)


def test_a_database_is_watched_for_lag_whatever_it_is_called() -> None:
    assert alarmed(a("AWS::RDS::DBCluster", "Db")) == {"DbBusy", "DbLags"}


def test_a_dead_letter_queue_is_told_from_one_that_works() -> None:
    dead = a("AWS::SQS::Queue", "JobsDead")
    jobs = a("AWS::SQS::Queue", "Jobs", RedrivePolicy={"deadLetterTargetArn": ref(dead, "Arn")})

    assert alarmed(jobs, dead) == {"JobsWaits", "JobsDeadHasDeadLetters"}


def test_each_node_of_a_cache_is_watched() -> None:
    group = a("AWS::ElastiCache::ReplicationGroup", "Cache", NumCacheClusters=2)

    assert alarmed(group) == {"CacheBusy1", "CacheFull1", "CacheBusy2", "CacheFull2"}


def test_mails_that_come_back_are_watched() -> None:
    rules = a("AWS::SES::ConfigurationSet", "Mail")

    assert alarmed(rules) == {"MailBounces", "MailComplaints"}


def test_what_is_not_known_has_no_alarms() -> None:
    assert alarmed(a("AWS::S3::Bucket", "Uploads")) == set()


def test_a_webhook_hears_every_topic(tmp_path: Path) -> None:
    hook = "https://on-call.example/hook"
    made = examples.templates("newsroom", tmp_path, watch={"webhook": hook})

    for unit in ("operations", "edge", "standby"):
        kinds = {one["Type"]: one["Properties"] for one in made[unit].body["Resources"].values()}
        assert kinds["AWS::SNS::Subscription"]["Endpoint"] == hook


def test_own_alarms_and_the_budget_are_the_manifests(tmp_path: Path) -> None:
    watch = {"budget": 500, "alarms": {"orders": {"metric": "Orders", "below": 1, "for": "10m"}}}
    made = operations(tmp_path, watch=watch)

    own = made["OwnOrders"]["Properties"]
    assert (own["Namespace"], own["MetricName"]) == ("Cordillera/acme/production", "Orders")
    assert (own["EvaluationPeriods"], own["Threshold"]) == (10, 1)
    assert made["Budget"]["Properties"]["Budget"]["BudgetLimit"]["Amount"] == 500


def test_a_release_is_undone_by_alarms_that_stand_before_it(tmp_path: Path) -> None:
    made = examples.templates("hello", tmp_path)

    service = made["app"].body["Resources"]["WebService"]["Properties"]
    alarms = service["DeploymentConfiguration"]["Alarms"]
    assert alarms["Rollback"] is True
    assert alarms["AlarmNames"] == [
        {"Ref": "FrontWebReleaseFails"},
        {"Ref": "FrontWebReleaseIsSlow"},
    ]


@pytest.mark.parametrize(("window", "cron"), [("04:00-05:00", "0 6"), ("22:30-23:30", "30 0")])
def test_snapshots_begin_an_hour_after_the_databases_own_window(window: str, cron: str) -> None:
    spec = DatabaseSpec.model_validate({"type": "database", "backups": {"window": window}})

    assert backup.begins([spec]) == f"cron({cron} * * ? *)"


def test_one_owner_of_recovery_to_a_second(tmp_path: Path) -> None:
    made = operations(tmp_path)

    rule = made["BackupPlan"]["Properties"]["BackupPlan"]["BackupPlanRule"][0]
    assert rule["EnableContinuousBackup"] is False
    assert rule["CopyActions"][0]["DestinationBackupVaultArn"] == {
        "Ref": "StandbyStandbyVaultBackupVaultArn"
    }
    chosen = made["BackupSelection"]["Properties"]["BackupSelection"]
    (condition,) = chosen["Conditions"]["StringEquals"]
    assert condition["ConditionValue"] == "acme/production"
    assert made["Vault"]["Properties"]["LockConfiguration"]["MinRetentionDays"] == 7


def test_an_app_without_a_database_has_no_vault(tmp_path: Path) -> None:
    assert "Vault" not in operations(tmp_path, "hello")


def test_a_dashboard_is_json_with_references_filled_in() -> None:
    made = _dashboard.filled({"a": ['"', Ref("front", "Lb", "Name")], "b": Ref("app", "S")})

    pieces = held(made)["Fn::Join"][1]
    assert [p for p in pieces if isinstance(p, str)] == ['{"a": ["\\"", "', '"], "b": "', '"}']
