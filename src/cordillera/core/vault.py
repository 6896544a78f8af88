"""An environment's secrets: derived where nobody chose them, sealed at rest where somebody did.

Derived passwords are HKDF-SHA256 (RFC 5869) of the environment's key and the secret's name, so
nothing has to be stored and nothing can be lost half-way. Chosen ones are sealed with Fernet
(AES-128-CBC and HMAC-SHA256) under another key derived the same way.
"""

import base64
import hashlib
import hmac
import json
import secrets
from pathlib import Path

from cordillera.core import files
from cordillera.core.errors import CordilleraError

KEY_BYTES = 32


class Vault:
    """The secrets of one environment, under `folder`. The key is made by `create`, once."""

    def __init__(self, folder: Path) -> None:
        self._key_file, self._sealed_file = folder / "key", folder / "secrets.json"
        self._key: bytes | None = None
        self._derived: dict[str, bytes] = {}
        self._read: tuple[tuple[int, int], dict[str, str]] = ((0, 0), {})

    def create(self) -> None:
        """Keep the key unless one is there: the one that fingerprints were made with. Twice is fine."""
        if not self._key_file.exists():
            key = self._key or secrets.token_bytes(KEY_BYTES)
            files.write(self._key_file, key.hex() + "\n", mode=0o600)

    def derive(self, name: str) -> str:
        """The password called `name`: 32 letters and digits, always the same."""
        raw = self._bytes(f"password {name}")
        return base64.b32encode(raw)[:32].decode().lower()

    def put(self, name: str, value: str) -> None:
        """Seal a chosen value. Replaces an older one."""
        from cryptography.fernet import Fernet

        token = Fernet(self._fernet_key()).encrypt(value.encode()).decode()
        files.write_json(self._sealed_file, {**self._sealed(), name: token})

    def drop(self, name: str) -> bool:
        """Forget a chosen value. False when there was none."""
        sealed = self._sealed()
        if sealed.pop(name, None) is None:
            return False
        files.write_json(self._sealed_file, sealed)
        return True

    def chosen(self) -> list[str]:
        """Names of the values somebody chose."""
        return sorted(self._sealed())

    def get(self, name: str) -> str:
        """The chosen value, else the derived one. Raises CordilleraError when it cannot be opened."""
        token = self._sealed().get(name)
        if token is None:
            return self.derive(name)
        from cryptography.fernet import Fernet, InvalidToken

        try:
            return Fernet(self._fernet_key()).decrypt(token.encode()).decode()
        except InvalidToken:
            raise CordilleraError(
                f"secret {name} was sealed with another key",
                hint=f"set it anew: cordillera secrets set {name}",
            ) from None

    def digest(self, name: str) -> str:
        """A fingerprint that tells when a secret changed and nothing else about it."""
        return hmac.new(self._bytes("digest"), self.get(name).encode(), hashlib.sha256).hexdigest()[
            :16
        ]

    def _sealed(self) -> dict[str, str]:
        """What is on the disk now; read again when the file is another one."""
        try:
            found = self._sealed_file.stat()
        except FileNotFoundError:
            return {}
        version = (found.st_mtime_ns, found.st_ino)
        if self._read[0] != version:
            self._read = (version, json.loads(self._sealed_file.read_text()))
        return dict(self._read[1])

    def _fernet_key(self) -> bytes:
        return base64.urlsafe_b64encode(self._bytes("seal"))

    def _bytes(self, purpose: str) -> bytes:
        if self._key is None:
            self._key = self._read_key()
        if purpose not in self._derived:
            self._derived[purpose] = hkdf(self._key, purpose.encode())
        return self._derived[purpose]

    def _read_key(self) -> bytes:
        """Before `create`, a new key: a plan of what is not there yet needs one; `create` keeps it."""
        if not self._key_file.exists():
            return secrets.token_bytes(KEY_BYTES)
        return bytes.fromhex(self._key_file.read_text().strip())


def hkdf(key: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 without salt, one block long. The library's would cost every command its import."""
    extracted = hmac.digest(bytes(KEY_BYTES), key, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)
