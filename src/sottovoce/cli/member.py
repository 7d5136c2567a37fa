"""Verbs with which a member's device joins."""

from __future__ import annotations

from pathlib import Path

import click

from sottovoce.desk import join as joining
from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.trust.roster import check_words

from .common import PATH, out, passphrase, passphrase_option, random, today

_WELCOME_MOST = 262_144
