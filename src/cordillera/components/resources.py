"""A resource of any type, told by its `type`."""

from typing import Annotated

from pydantic import Field

from cordillera.components.cache import CacheSpec
from cordillera.components.database import DatabaseSpec
from cordillera.components.mail import MailSpec
from cordillera.components.objects import ObjectsSpec
from cordillera.components.queue import QueueSpec
from cordillera.components.search import SearchSpec

ResourceSpec = Annotated[
    DatabaseSpec | CacheSpec | SearchSpec | ObjectsSpec | QueueSpec | MailSpec,
    Field(discriminator="type"),
]
TYPES = ("database", "cache", "search", "objects", "queue", "mail")
