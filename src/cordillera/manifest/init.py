"""A first manifest, from what lies in the app's folder."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from cordillera.manifest.schema import ADDRESS

TEXT = """\
# yaml-language-server: $schema={schema}
# What each key means: cordillera explain services.web
app: {app}

services:
  web:
{service}
    public: true
    health: {health}          # any answer below 400 is well
    scale: 2
    # resources: [db]      # adds DATABASE_URL; more below
    # secrets:
    #   - {{name: SECRET_KEY, generate: true}}

# resources:
#   db: {{type: database}}
#   cache: {{type: cache}}
#   search: {{type: search}}
#   uploads: {{type: objects, public: [media/]}}
#   jobs: {{type: queue}}
#   mail: {{type: mail}}

environments:
  {app}/certification: {{target: local}}
"""


@dataclass(frozen=True)
class Guess:
    """How the app is built and started."""

    command: str
    build: str = ""
    health: str = "/"


def first_manifest(folder: Path) -> str:
    """The text of a manifest for the app in `folder`; it loads as it is."""
    guess = guessed(folder)
    lines = [f"build: {{run: {json.dumps(guess.build)}}}"] if guess.build else []
    lines.append(f"command: {json.dumps(guess.command)}   # listens on $HOST:$PORT")
    service = "\n".join(f"    {line}" for line in lines)
    return TEXT.format(
        schema=ADDRESS, app=app_name(folder.resolve().name), service=service, health=guess.health
    )


def guessed(folder: Path) -> Guess:
    """From a Procfile, package.json, Django, other Python or PHP files; else a file server."""
    build = _build(folder)
    procfile = folder / "Procfile"
    if procfile.exists() and (found := re.search(r"^web:\s*(.+)$", procfile.read_text(), re.M)):
        return Guess(found[1].strip(), build)
    if (folder / "package.json").exists():
        return Guess("npm start", build)
    if (folder / "manage.py").exists():
        return Guess(f"gunicorn {_wsgi(folder)} --bind $HOST:$PORT", build)
    if (folder / "index.php").exists() or (folder / "composer.json").exists():
        return Guess("php -S $HOST:$PORT", build)
    if build and (folder / "app.py").exists():
        return Guess("gunicorn app:app --bind $HOST:$PORT", build)
    if (folder / "app.py").exists():
        return Guess("python3 app.py", build)
    return Guess("python3 -m http.server $PORT --bind $HOST", build)


def app_name(text: str) -> str:
    """A folder's name as an app's name."""
    plain = re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")[:30]
    return plain if re.match(r"[a-z]", plain) else f"app-{plain}".rstrip("-")


def _build(folder: Path) -> str:
    if (folder / "requirements.txt").exists():
        return "pip install -r requirements.txt"
    if (folder / "pyproject.toml").exists():
        return "pip install ."
    if (folder / "package-lock.json").exists():
        return "npm ci"
    if (folder / "package.json").exists():
        return "npm install"
    if (folder / "composer.json").exists():
        return "composer install --no-dev"
    return ""


def _wsgi(folder: Path) -> str:
    found = sorted(folder.glob("*/wsgi.py"))
    return f"{found[0].parent.name}.wsgi" if found else "app.wsgi"
