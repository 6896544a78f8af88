"""An environment as plain CloudFormation: templates, parameters, and the lines that apply them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cordillera.components.wanted import Wanted
from cordillera.core import files
from cordillera.targets.aws import _database_ids, _draft, _images, _linked_roles, _mail_ids
from cordillera.targets.aws._draft import Draft
from cordillera.targets.aws._site import Site, site_of
from cordillera.targets.aws._stack import Template

README = """\
# {environment} without Cordillera

Plain CloudFormation, one template per stack. `parameters/` says which output of which stack each parameter
takes its value from. Apply them in this order with the AWS CLI; a line run again changes what changed.
Templates above 51,200 bytes need `--s3-bucket BUCKET` besides.

{before}```sh
{lines}
```
"""
SECRETS = """\
Secrets that somebody chose are in no template. Before the stack `release`:

```sh
{lines}
```

"""
VERSIONS = """\
Parameters that name the version of a secret may be left out: {names}. When such a secret has
changed, give the id that `aws secretsmanager describe-secret` shows: copies with its new value take the
place of those that run.

"""
IMAGES = """\
Images that are built must be in their repositories after the stack `data` and before the stack `release`:

{lines}

"""
HOOKS = """\
What `up` does besides, in no template, and is yours to do now:

{lines}

"""


def write(want: Wanted, folder: Path) -> Sequence[Path]:
    """Write it all; the files written, the page first. Asks nobody."""
    want = _images.with_releases(want)
    draft = _draft.draft(want, site_of(want))
    made = [folder / "README.md"]
    files.write(made[0], _page(want, draft))
    for unit in draft.order:
        template = draft.templates[unit]
        made += [folder / f"{unit}.json", folder / "parameters" / f"{unit}.json"]
        files.write(made[-2], template.readable)
        files.write_json(made[-1], _sources(template, draft.site), mode=0o644)
    return made


def _sources(template: Template, site: Site) -> dict[str, dict[str, str]]:
    return {
        name: {
            "stack": site.stack_name(ref.unit),
            "region": site.region_of(ref.unit),
            "output": ref.output,
        }
        for name, ref in template.parameters.items()
    }


def _page(want: Wanted, draft: Draft) -> str:
    lines = "\n".join(_line(draft.templates[unit], draft.site) for unit in draft.order)
    before = _images_page(want, draft.site) + _secrets_page(want, draft.site)
    before += _versions_page(draft) + _hooks_page(want, draft)
    return README.format(environment=want.environment, before=before, lines=lines)


def _line(template: Template, site: Site) -> str:
    tags = " ".join(f"{key}={value}" for key, value in site.tags.items())
    pieces = [
        f"aws cloudformation deploy --region {template.region} --stack-name {template.name}",
        f"--template-file {template.unit}.json --capabilities CAPABILITY_NAMED_IAM --tags {tags}",
    ]
    values = [_value(name, source) for name, source in _sources(template, site).items()]
    if values:
        pieces.append("--parameter-overrides " + " \\\n    ".join(values))
    return " \\\n  ".join(pieces)


def _value(name: str, source: dict[str, str]) -> str:
    query = f"Stacks[0].Outputs[?OutputKey=='{source['output']}'].OutputValue"
    return (
        f"{name}=$(aws cloudformation describe-stacks --region {source['region']} "
        f'--stack-name {source["stack"]} --query "{query}" --output text)'
    )


def _secrets_page(want: Wanted, site: Site) -> str:
    lines = "\n".join(_secret_lines(want, site))
    return SECRETS.format(lines=lines) if lines else ""


def _versions_page(draft: Draft) -> str:
    names = sorted({name for one in draft.templates.values() for name in one.versions})
    return VERSIONS.format(names=", ".join(f"`{name}`" for name in names)) if names else ""


def _secret_lines(want: Wanted, site: Site) -> Iterator[str]:
    from cordillera.targets.aws import secrets

    chosen = {s.name for spec in want.services.values() for s in spec.secrets if not s.generate}
    for name in sorted(chosen):
        place = secrets.chosen_name(site.environment, name)
        yield (
            f"aws secretsmanager create-secret --region {site.region} --name {place} "
            "--secret-string file:///dev/stdin"
        )


def _hooks_page(want: Wanted, draft: Draft) -> str:
    return HOOKS.format(lines="\n".join(_hooks(want, draft)))


def _hooks(want: Wanted, draft: Draft) -> Iterator[str]:
    """What is done before and after stacks for resources that CloudFormation does not finish."""
    roles = ", ".join(f"`{role.line}`" for role in _linked_roles.needed(draft.types))
    yield f"- Before everything, once per account (each refuses where its role is there): {roles}"
    if want.edge.domains:
        yield (
            "- While a stack with a certificate is being made, it waits for the CNAME that `aws acm "
            f"describe-certificate` shows for {', '.join(want.edge.domains)}: write it into DNS"
        )
    for name, _ in want.of_type("database"):
        yield (
            f"- After the stack `data`: in the cluster of `{name}`, the schema "
            f"`{_database_ids.schema_name(name)}` and a user of that name with all rights to it, with the "
            f"password in the secret `{_database_ids.user_secret(name).id}`; and an end to its log groups "
            "(`aws logs put-retention-policy`), which Aurora keeps for ever"
        )
    for name, _ in want.of_type("mail"):
        yield (
            f"- After the stack `data`: a key of the user `{_mail_ids.user(name).id}`, and in the secret "
            f"`{_mail_ids.login(name).id}` its `username`, SMTP `password` and `password_in_url`; the DKIM, "
            "SPF and bounce records of the sender's domain in DNS"
        )


def _images_page(want: Wanted, site: Site) -> str:
    built = [name for name, spec in want.services.items() if not spec.image]
    lines = "\n".join(f"- `{_images.repository_name(n, site)}:{want.releases[n]}`" for n in built)
    return IMAGES.format(lines=lines) if lines else ""
