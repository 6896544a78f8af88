"""Where images lie: one private bucket, in which only `media/` is ever shown to readers."""

import threading
from urllib.parse import quote

from botocore.config import Config
from storages.backends.s3 import S3Storage

_connections = threading.local()  # one client a thread, shared by both storages: 12 MB each


class Originals(S3Storage):
    """What editors uploaded, as they uploaded it. Shown to signed-in editors only."""

    location = "originals"
    address = "/originals/"

    def __init__(self, **settings):
        super().__init__(**{"location": self.location, **settings})
        self._connections = _connections
        patience = Config(connect_timeout=3, read_timeout=20, retries={"mode": "standard", "max_attempts": 5})
        self.client_config = self.client_config.merge(patience)

    def url(self, name, parameters=None, expire=None, http_method=None):
        return self.address + quote(name)


class Renditions(Originals):
    """Resized copies: public, and never changed under the same name."""

    location = "media"
    address = "/media/"
