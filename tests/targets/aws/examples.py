"""The examples as environments in AWS, and what they must become.

`python -m tests.targets.aws.examples` writes the golden templates; read the difference before you keep it.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cordillera.components.account import AccountSpec
from cordillera.components.wanted import Wanted
from cordillera.manifest import find, resolve
from cordillera.targets.aws import _draft, _mail_relay
from cordillera.targets.aws._site import site_of
from cordillera.targets.aws._stack import Template

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).parent / "golden"
ENVIRONMENT = "acme/production"
TWO_PROVIDERS = {
    "from": "news@acme.example",
    "providers": ["ses", {"name": "sendgrid", "password": "SENDGRID_PASSWORD"}],
}
"""A mail resource that needs a relay."""

LISTED = {
    "domains": ["news.acme.example"],
    "firewall": {"allow": ["192.0.2.0/24", "2001:db8::/32"], "deny": ["198.51.100.7"]},
}
"""An edge whose firewall has lists of addresses."""

RELEASE = "0123456789"
OVERLAYS: dict[str, dict[str, object]] = {
    "hello": {"target": "aws", "region": "us-east-1"},
    "ledger": {"target": "aws", "region": "us-east-1"},
    "newsroom": {
        "target": "aws",
        "region": "us-east-1",
        "standby_region": "us-west-1",
        "edge": {"domains": ["news.acme.example"]},
        "resources": {"mail": {"from": "news@acme.example", "providers": ["ses"]}},
    },
}


def app_folder(app: str, to: Path, **overlay: object) -> Path:
    """A copy of an example that has an environment in AWS besides."""
    import yaml

    folder = to / app
    shutil.copytree(ROOT / "examples" / app, folder)
    (folder / "environments").mkdir()
    keys = {ENVIRONMENT: {**OVERLAYS[app], **overlay}}
    (folder / "environments/production.yaml").write_text(yaml.safe_dump({"environments": keys}))
    return folder


def account() -> AccountSpec:
    """The account that the credentials lead to."""
    return AccountSpec()


def wanted(app: str, to: Path, **overlay: object) -> Wanted:
    """What that environment asks for, with releases that do not change with the example's files."""
    folder = app_folder(app, to, **overlay)
    found = find.with_environments(folder / "cordillera.yaml")
    made = _mail_relay.with_relays(resolve.wanted(found, ENVIRONMENT, folder))
    return replace(made, releases=dict.fromkeys(made.services, RELEASE))


def templates(app: str, to: Path, **overlay: object) -> dict[str, Template]:
    """Its templates."""
    want = wanted(app, to, **overlay)
    return _draft.draft(want, site_of(want)).templates


def kinds(to: Path) -> set[str]:
    """Every type of resource that an environment may consist of."""
    made = [
        *(templates(app, to / app) for app in OVERLAYS),
        templates("newsroom", to / "two", resources={"mail": TWO_PROVIDERS}),
        templates("newsroom", to / "listed", edge=LISTED),
    ]
    bodies = [one.body for draft in made for one in draft.values()]
    return {one["Type"] for body in bodies for one in body["Resources"].values()}


def golden(app: str) -> Iterator[tuple[str, str]]:
    """(unit, text) of the golden templates."""
    return ((path.stem, path.read_text()) for path in sorted((GOLDEN / app).glob("*.json")))


def _write(app: str, to: Path) -> None:
    shutil.rmtree(GOLDEN / app, ignore_errors=True)
    (GOLDEN / app).mkdir(parents=True)
    for unit, template in templates(app, to).items():
        (GOLDEN / app / f"{unit}.json").write_text(template.readable)


if __name__ == "__main__":
    import tempfile

    for name in OVERLAYS:
        with tempfile.TemporaryDirectory() as place:
            _write(name, Path(place))
