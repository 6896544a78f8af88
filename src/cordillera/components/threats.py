"""Threat detection: nothing to configure."""
