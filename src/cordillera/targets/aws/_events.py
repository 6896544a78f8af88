"""What AWS tells by events, sent on to the topic of alarms: threats, failed releases, failed backups."""

from collections.abc import Iterator
from typing import Any

from troposphere import Sub

from cordillera.targets.aws._alarms import TOPICS
from cordillera.targets.aws._parts import AwsPart, Plain, part
from cordillera.targets.aws._refs import Ref, camel, text
from cordillera.targets.aws._site import ENVIRONMENT_TAG, OPERATIONS, RELEASE, Site

SEVERITY = 4
"""GuardDuty's medium."""
WARN_PERCENT, FULL_PERCENT = 80, 100


def parts(unit: str) -> Iterator[AwsPart]:
    """The rules of a stack. Threats and backups are the account's: each environment hears of all."""
    rules: dict[str, dict[str, Any]] = {
        "threats": {
            "source": ["aws.guardduty"],
            "detail-type": ["GuardDuty Finding"],
            "detail": {"severity": [{"numeric": [">=", SEVERITY]}]},
        },
        "failed-backups": {
            "source": ["aws.backup"],
            "detail-type": ["Backup Job State Change", "Copy Job State Change"],
            "detail": {"state": ["FAILED", "EXPIRED", "ABORTED"]},
        },
    }
    if unit == OPERATIONS:
        rules["failed-releases"] = {
            "source": ["aws.ecs"],
            "detail-type": ["ECS Deployment State Change"],
            "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
            "resources": [{"wildcard": _services()}],
        }
    for name, pattern in rules.items():
        yield part("monitoring", unit, _rule(unit, name, pattern))


def _services() -> Any:
    """The ARNs of this environment's services."""
    start = "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:service/"
    return text(Sub(start), Ref(RELEASE, "Cluster"), "/*")


def _rule(unit: str, name: str, pattern: dict[str, Any]) -> Plain:
    id = camel("tell", name) if unit == OPERATIONS else camel(unit, "tells", name)
    return Plain(
        "AWS::Events::Rule",
        id,
        {"EventPattern": pattern, "Targets": [{"Id": "topic", "Arn": TOPICS[unit]}]},
    )


def budget(dollars: float, site: Site) -> AwsPart:
    """What the environment may cost a month, told before it is spent."""
    told = [{"SubscriptionType": "SNS", "Address": TOPICS[OPERATIONS]}]
    notices = [("ACTUAL", WARN_PERCENT), ("FORECASTED", FULL_PERCENT)]
    properties = {
        "Budget": {
            "BudgetName": site.name("month", limit=100),
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": dollars, "Unit": "USD"},
            "CostFilters": {"TagKeyValue": [f"user:{ENVIRONMENT_TAG}${site.environment}"]},
        },
        "NotificationsWithSubscribers": [
            {
                "Notification": {
                    "NotificationType": kind,
                    "ComparisonOperator": "GREATER_THAN",
                    "Threshold": percent,
                    "ThresholdType": "PERCENTAGE",
                },
                "Subscribers": told,
            }
            for kind, percent in notices
        ],
    }
    return part("monitoring", OPERATIONS, Plain("AWS::Budgets::Budget", "Budget", properties))
