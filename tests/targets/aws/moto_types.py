"""Tells, run by the emulators' own Python, which types of resource moto makes out of a template."""

import importlib
import pkgutil

import moto
from moto.core.common_models import CloudFormationModel


def main() -> None:
    """One type a line."""
    for found in pkgutil.iter_modules(moto.__path__):
        try:
            importlib.import_module(f"moto.{found.name}.models")
        except ImportError:
            continue  # not a service, or one whose libraries are not installed
    print("\n".join(sorted(filter(None, map(_type, _below(CloudFormationModel))))))


def _below(kind: type) -> list[type]:
    subs: list[type] = kind.__subclasses__()
    return [one for sub in subs for one in (sub, *_below(sub))]


def _type(kind: type) -> str:
    try:
        return str(kind.cloudformation_type())  # type: ignore[attr-defined]
    except (NotImplementedError, TypeError):
        return ""


if __name__ == "__main__":
    main()
