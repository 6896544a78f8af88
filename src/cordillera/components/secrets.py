"""Secrets: named by the services that receive them; values are never in the manifest."""
