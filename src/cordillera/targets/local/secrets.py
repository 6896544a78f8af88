"""Secrets on one machine: sealed with the environment's key; see `core.vault`."""

from cordillera.components.target import Offered

OFFER = Offered("the key lies on the same machine")
