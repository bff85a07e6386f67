"""Comity: entered once, seen by all who may, provable by anyone."""

__version__ = "0.1.0"
