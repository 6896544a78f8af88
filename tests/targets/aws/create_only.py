"""Writes the table of properties that cannot change without a replacement, out of cfn-lint's schemas.

A question mark follows those of which only some changes replace.

`python tests/targets/aws/create_only.py` writes it; a test tells when it is stale.
"""

import json
from pathlib import Path

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

TABLE = Path(__file__).parents[3] / "src/cordillera/targets/aws/create_only.json"
REGION = "us-east-1"
SERVICES = tuple(
    """
    ApplicationAutoScaling Backup Budgets CertificateManager CloudFront CloudTrail CloudWatch EC2 ECR
    ECS EFS ElastiCache ElasticLoadBalancingV2 Events GuardDuty IAM KMS Lambda Logs OpenSearchService RDS
    Route53 S3 SES SNS SQS SSM SecretsManager ServiceDiscovery WAFv2
    """.split()
)


def text() -> str:
    """The table as it should be: every type of the services that may be used."""
    made = {}
    for kind in sorted(PROVIDER_SCHEMA_MANAGER.get_resource_types(REGION)):
        if kind.split("::")[1] in SERVICES:
            names = _create_only(kind)
            if names:
                made[kind] = names
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def _create_only(kind: str) -> list[str]:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    always = {p.split("/")[2] for p in schema.get("createOnlyProperties", [])}
    perhaps = {p.split("/")[2] for p in schema.get("conditionalCreateOnlyProperties", [])}
    return sorted({*always, *(f"{name}?" for name in perhaps - always)})


if __name__ == "__main__":
    TABLE.write_text(text())
    print(f"{TABLE.name}: {len(json.loads(TABLE.read_text()))} types")
