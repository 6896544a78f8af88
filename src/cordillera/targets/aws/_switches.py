"""Parameters whose values are found in the account, not in other stacks: what is there already.

A resource with the condition NAME is made only while the switch NAME is not empty. The default holds for
whoever applies a template by hand.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

SWITCHES: Mapping[str, tuple[str, str]] = {
    "Detector": ("yes", "Empty where GuardDuty is on already."),
    "Trail": ("yes", "Empty where another trail watches all regions of the account."),
    "ImagesTo": ("", "The region that images are copied to; empty for none."),
}
"""Name -> its default, and what it says."""
ENDING = "Switch"


class Switched(NamedTuple):
    """How a switch stands: its value, and a sentence if a plan should tell why."""

    value: str
    note: str = ""


def parameter(name: str) -> str:
    """The parameter of a switch."""
    return f"{name}{ENDING}"


def value(name: str) -> dict[str, str]:
    """The value of a switch, in a template."""
    return {"Ref": parameter(name)}


def used(resources: Mapping[str, Any]) -> list[str]:
    """The switches that resources depend on, sorted."""
    found = {one["Condition"] for one in resources.values() if "Condition" in one}
    return sorted(found & SWITCHES.keys())


def sections(names: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(parameters, conditions) of a template."""
    parameters = {
        parameter(name): {
            "Type": "String",
            "Default": SWITCHES[name][0],
            "Description": SWITCHES[name][1],
        }
        for name in names
    }
    conditions = {
        name: {"Fn::Not": [{"Fn::Equals": [value(name), ""]}]}  # "" is off
        for name in names
    }
    return parameters, conditions


def off(made: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    """Whether a resource of a template is switched off."""
    name = made.get("Condition", "")
    return name in SWITCHES and not values.get(parameter(name), SWITCHES[name][0])
