"""Certificates: follow from edge.domains; nothing else to configure."""
