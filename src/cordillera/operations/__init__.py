"""Durable runbooks, one verb a file."""
