"""Verbs of the desk, one file a kind; importing them adds them to the group."""

from __future__ import annotations

from . import desk_notice, desk_read, desk_sync, desk_team
from .desk_group import desk

__all__ = ["desk", "desk_notice", "desk_read", "desk_sync", "desk_team"]
