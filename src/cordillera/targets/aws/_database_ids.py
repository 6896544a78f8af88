"""How the parts of a database are called."""

from cordillera.targets.aws._refs import Ref, camel
from cordillera.targets.aws._site import DATA

PORT = 3306
RESERVED = ("admin", "mysql", "sys", "root", "rdsadmin", "information_schema", "performance_schema")
USER_LETTERS = 32


def schema_name(resource: str) -> str:
    """The schema, and user, of a database resource."""
    name = resource.replace("-", "_")
    return (f"app_{name}" if name in RESERVED else name)[:USER_LETTERS]


def cluster(resource: str) -> Ref:
    """The Aurora cluster of a database resource."""
    return Ref(DATA, camel(resource, "cluster"))


def user_secret(resource: str) -> Ref:
    """The secret of the app's user."""
    return Ref(DATA, camel(resource, "database-user"))
