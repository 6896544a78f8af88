"""Monitoring on one machine: not offered yet."""

from cordillera.components.target import NotOffered

OFFER = NotOffered("look at `cordillera status --watch` and `cordillera logs` for now")
