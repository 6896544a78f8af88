"""Threat detection on one machine: not offered yet."""

from cordillera.components.target import NotOffered

OFFER = NotOffered("run your own intrusion detection on the machine for now")
