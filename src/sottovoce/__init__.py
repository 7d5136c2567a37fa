"""Sottovoce: ask in public, be answered in private."""
