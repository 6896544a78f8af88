"""Passwords as servers keep them: what lies in a file, a statement or a log opens no door by itself.

The passwords are 160 random bits, so no hash of one can be turned back by trying.
"""

import hashlib


def sha256(password: str) -> str:
    """As Redis takes it after `#`. Pure."""
    return hashlib.sha256(password.encode()).hexdigest()


def native(password: str) -> str:
    """As MariaDB's `mysql_native_password` keeps it. Pure."""
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()
