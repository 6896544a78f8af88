"""Backups on one machine: not offered yet."""

from cordillera.components.target import NotOffered

OFFER = NotOffered("copy the data with the servers' own tools for now")
