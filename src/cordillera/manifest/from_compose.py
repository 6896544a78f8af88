"""A first manifest out of a Compose file, a Procfile or a Copilot folder."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cordillera.core.errors import ManifestError
from cordillera.manifest.init import app_name
from cordillera.manifest.schema import ADDRESS

SERVERS = {
    "database": ("mysql", "mariadb", "percona"),
    "cache": ("redis", "valkey", "keydb", "dragonfly"),
    "search": ("opensearch", "elasticsearch"),
    "objects": ("minio", "seaweedfs", "localstack-s3"),
    "queue": ("elasticmq", "localstack", "sqs"),
    "mail": ("mailhog", "mailpit", "postfix", "maildev", "smtp"),
}
NOT_OFFERED = ("postgres", "mongo", "memcached", "rabbitmq", "kafka", "nats")
EDGES = ("nginx", "traefik", "haproxy", "caddy")
SECRET = re.compile(r"PASS(WORD|WD)?$|SECRET|TOKEN|(^|_)KEY$|CREDENTIAL", re.I)
LEFT_OUT = ("volumes", "networks", "privileged", "cap_add", "devices", "network_mode")
USED = {
    "database": {
        "host": "host",
        "port": "port",
        "user": "username",
        "pass": "password",
        "name": "name",
    },
    "cache": {"host": "host", "port": "port", "pass": "password"},
    "mail": {"host": "host", "port": "port"},
}


@dataclass
class _Draft:
    """What was understood so far. `remarks` are sentences about what was not carried over."""

    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def from_compose(path: Path) -> tuple[str, list[str]]:
    """The manifest's text, and what could not be carried over. Raises ManifestError."""
    if path.is_dir() or (path.suffix not in (".yaml", ".yml") and path.name != "Procfile"):
        raise ManifestError(
            f"{path} is neither a Compose file nor a Procfile",
            hint="name one: cordillera init --from compose.yaml (Copilot folders are not read yet)",
        )
    draft = _of_procfile(path) if path.name == "Procfile" else _of_compose(path)
    return _text(path, draft), draft.remarks


def _of_procfile(path: Path) -> _Draft:
    draft = _Draft()
    for name, command in re.findall(r"^([A-Za-z0-9_-]+):\s*(.+)$", path.read_text(), re.M):
        made: dict[str, Any] = {"command": command.strip()}
        if name == "web":
            made |= {"public": True, "health": "/"}
        if name == "release":
            continue
        draft.services[app_name(name)] = made
    release = re.search(r"^release:\s*(.+)$", path.read_text(), re.M)
    if release and draft.services:
        next(iter(draft.services.values()))["release"] = release[1].strip()
    return draft


def _of_compose(path: Path) -> _Draft:
    try:
        found = yaml.safe_load(path.read_text())
        services = dict(found["services"])
    except (OSError, yaml.YAMLError, TypeError, KeyError) as e:
        raise ManifestError(
            f"{path} is not a Compose file: {e}", hint="it needs `services:`"
        ) from e
    draft = _Draft()
    kinds = {name: _kind(spec or {}) for name, spec in services.items()}
    for name, kind in kinds.items():
        if kind in SERVERS:
            draft.resources[app_name(name)] = kind
        elif kind in NOT_OFFERED:
            draft.remarks.append(
                f"{name}: there is no resource of type {kind}; the app needs another way"
            )
        elif kind in EDGES:
            draft.remarks.append(f"{name}: left out, because the edge does what {kind} did")
    public = False
    for name, spec in services.items():
        if kinds[name] == "app":
            draft.services[app_name(name)] = _service(name, spec or {}, draft, first=not public)
            public = public or "public" in draft.services[app_name(name)]
    return draft


def _kind(spec: Mapping[str, Any]) -> str:
    image = str(spec.get("image") or "").rpartition("/")[2].partition(":")[0].lower()
    if spec.get("build"):
        return "app"
    for kind, words in SERVERS.items():
        if any(word in image for word in words):
            return kind
    return next((word for word in (*NOT_OFFERED, *EDGES) if word in image), "app")


def _service(name: str, spec: Mapping[str, Any], draft: _Draft, *, first: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if spec.get("build"):
        made["build"] = _build(name, spec["build"], draft)
    elif spec.get("image"):
        made["image"] = spec["image"]
    command = spec.get("command") or spec.get("entrypoint")
    if command:
        text = command if isinstance(command, str) else " ".join(map(str, command))
        made["command"] = re.sub(r"\b0\.0\.0\.0:\d+", "$HOST:$PORT", text)
    elif "image" not in made and not (made.get("build") or {}).get("dockerfile"):
        made["command"] = "TODO"
        draft.remarks.append(f"{name}: write its command")
    if spec.get("ports") and first:
        made |= {"public": True, "health": "/"}
    used = [app_name(n) for n in _depends(spec) if app_name(n) in draft.resources]
    made |= _variables(spec, draft, used)
    if used:
        made["resources"] = list(dict.fromkeys(used))
    if (count := (spec.get("deploy") or {}).get("replicas")) is not None:
        made["scale"] = max(1, int(count))
    for key in LEFT_OUT:
        if spec.get(key):
            draft.remarks.append(
                f"{name}: {key} was left out; files that must last belong into objects"
            )
    return made


def _build(name: str, build: object, draft: _Draft) -> dict[str, Any]:
    made: dict[str, Any] = {"context": build if isinstance(build, str) else "."}
    if isinstance(build, dict):
        made = {key: build[key] for key in ("context", "dockerfile") if build.get(key)}
    draft.remarks.append(f"{name}: without a container engine, say how it is built: build.run")
    return made


def _depends(spec: Mapping[str, Any]) -> list[str]:
    found = spec.get("depends_on") or []
    texts = " ".join(value for _, value in _environment(spec))
    return [*found, *re.findall(r"[A-Za-z][A-Za-z0-9_-]*", texts)]


def _environment(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    found = spec.get("environment") or {}
    pairs = (
        found.items()
        if isinstance(found, dict)
        else (str(one).partition("=")[::2] for one in found)
    )
    return ((str(key), "" if value is None else str(value)) for key, value in pairs)


def _variables(spec: Mapping[str, Any], draft: _Draft, used: list[str]) -> dict[str, Any]:
    environment: dict[str, str] = {}
    secrets: list[str] = []
    for key, value in _environment(spec):
        reference = _reference(key, value, draft.resources, used)
        if reference:
            environment[key] = reference
        elif SECRET.search(key):
            secrets.append(key)
            draft.remarks.append(
                f"{key} is a secret, and its value was not copied: cordillera secrets set {key}"
            )
        else:
            environment[key] = value.replace("$", "$$")
    found: dict[str, Any] = {"environment": environment} if environment else {}
    return {**found, **({"secrets": secrets} if secrets else {})}


def _reference(key: str, value: str, resources: Mapping[str, str], used: list[str]) -> str:
    """`${resources.NAME.FIELD}` for what points to a server that became a resource; else empty."""
    for name in resources:
        if re.search(rf"^[a-z0-9+]+://.*\b{re.escape(name)}\b", value):
            kind = resources[name]
            return f"${{resources.{name}.url}}" if kind not in ("objects", "mail") else ""
        if value == name:
            return f"${{resources.{name}.host}}"
    for name in dict.fromkeys(used):
        fields = USED.get(resources[name], {})
        of_it = {
            "database": ("DB", "MYSQL", "DATABASE"),
            "cache": ("REDIS", "CACHE"),
            "mail": ("SMTP", "MAIL"),
        }
        prefixes = of_it.get(resources[name], ())
        if key.upper().startswith(prefixes) and prefixes:
            for word, wanted in fields.items():
                if key.upper().endswith(word.upper()) or word.upper() in key.upper().split("_")[-1]:
                    return f"${{resources.{name}.{wanted}}}"
    return ""


def _text(path: Path, draft: _Draft) -> str:
    if not draft.services:
        raise ManifestError(f"{path} has no service of the app's own", hint="run `cordillera init`")
    name = app_name(path.resolve().parent.name)
    data: dict[str, Any] = {"app": name, "services": draft.services}
    if draft.resources:
        data["resources"] = {name: {"type": kind} for name, kind in draft.resources.items()}
    data["environments"] = {f"{name}/certification": {"target": "local"}}
    remarks = "".join(f"# - {remark}\n" for remark in draft.remarks)
    head = f"# yaml-language-server: $schema={ADDRESS}\n# Written from {path.name}."
    head += f" Look at:\n{remarks}" if remarks else "\n"
    return head + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
