"""AWS's managed rule groups: what they cost, and which rules stand for a family of the Core Rule Set.

The manifest's exceptions name rules of the OWASP Core Rule Set, as `local` runs it. AWS's rules are
others: what can be told apart is the family (the first three digits) and whether the body or the query
is looked at. A rule that is left out somewhere is set to count; its label then blocks elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """A managed rule group, its capacity units (WCU) and the name its labels carry."""

    name: str
    units: int
    label: str


COMMON = Group("AWSManagedRulesCommonRuleSet", 700, "core-rule-set")
BAD_INPUTS = Group("AWSManagedRulesKnownBadInputsRuleSet", 200, "known-bad-inputs")
SQL = Group("AWSManagedRulesSQLiRuleSet", 200, "sql-database")
REPUTATION = Group("AWSManagedRulesAmazonIpReputationList", 25, "amazon-ip-list")
UNIX = Group("AWSManagedRulesUnixRuleSet", 100, "posix-os")

GROUPS = {
    "standard": (REPUTATION, COMMON, BAD_INPUTS, SQL),
    "strict": (REPUTATION, COMMON, BAD_INPUTS, SQL, UNIX),
}
"""Of each level, in the order in which they look."""

ALWAYS_COUNTED = {COMMON: ("SizeRestrictions_BODY",)}
"""It would block every body above 8 kB; the manifest's own limits take its place."""


@dataclass(frozen=True)
class Managed:
    """One rule of a group."""

    group: Group
    rule: str

    @property
    def label(self) -> str:
        """What a request gets that it matches. AWS writes the place another way there."""
        name, _, place = self.rule.rpartition("_")
        return f"awswaf:managed:aws:{self.group.label}:{name}_{PLACES[place]}"


PLACES = {"BODY": "Body", "QUERYARGUMENTS": "QueryArguments", "QUERYSTRING": "QueryString"}

FAMILIES: dict[str, tuple[Managed, ...]] = {
    "930": (
        Managed(COMMON, "GenericLFI_BODY"),
        Managed(COMMON, "GenericLFI_QUERYARGUMENTS"),
    ),
    "931": (
        Managed(COMMON, "GenericRFI_BODY"),
        Managed(COMMON, "GenericRFI_QUERYARGUMENTS"),
    ),
    "934": (
        Managed(COMMON, "EC2MetaDataSSRF_BODY"),
        Managed(COMMON, "EC2MetaDataSSRF_QUERYARGUMENTS"),
    ),
    "941": (
        Managed(COMMON, "CrossSiteScripting_BODY"),
        Managed(COMMON, "CrossSiteScripting_QUERYARGUMENTS"),
    ),
    "942": (
        Managed(SQL, "SQLi_BODY"),
        Managed(SQL, "SQLi_QUERYARGUMENTS"),
        Managed(SQL, "SQLiExtendedPatterns_BODY"),
        Managed(SQL, "SQLiExtendedPatterns_QUERYARGUMENTS"),
    ),
    "944": (
        Managed(BAD_INPUTS, "JavaDeserializationRCE_BODY"),
        Managed(BAD_INPUTS, "JavaDeserializationRCE_QUERYSTRING"),
        Managed(BAD_INPUTS, "Log4JRCE_BODY"),
        Managed(BAD_INPUTS, "Log4JRCE_QUERYSTRING"),
    ),
}
"""A family of the Core Rule Set -> the rules of AWS that look for the same. Others have no equal."""

WHOLE_GROUPS = {"932": UNIX}
"""A family that is a group of its own: the group is left out on the path."""


def of(rules: list[int]) -> Iterator[Managed]:
    """What stands for these rules of the Core Rule Set, each once."""
    for family in dict.fromkeys(str(rule)[:3] for rule in rules):
        yield from FAMILIES.get(family, ())
