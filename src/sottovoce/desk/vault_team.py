"""The vault's tables of what members share: keys on their way, transport keys, what is lacking, who asked.

`duty` itself is in `vault`: there lie the private halves that a verified duty list names, and no others.
"""

from __future__ import annotations

TEAM_TABLES = """
CREATE TABLE waiting_seed (epoch INTEGER, public BLOB, seed BLOB NOT NULL, own INTEGER NOT NULL,
  PRIMARY KEY (epoch, public)) WITHOUT ROWID;
CREATE TABLE transport (serial INTEGER PRIMARY KEY, seed BLOB NOT NULL, raw BLOB NOT NULL, published INTEGER NOT NULL);
CREATE TABLE receipt (receipt BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE unopened (hash BLOB PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE colleague (slot INTEGER PRIMARY KEY, device BLOB NOT NULL, serial INTEGER NOT NULL,
  issued INTEGER NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE lack (epoch INTEGER PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE asked (epoch INTEGER, slot INTEGER, day INTEGER NOT NULL, held INTEGER NOT NULL,
  answered INTEGER NOT NULL, PRIMARY KEY (epoch, slot)) WITHOUT ROWID;
CREATE TABLE word (slot INTEGER, epoch INTEGER, covered INTEGER NOT NULL, PRIMARY KEY (slot, epoch)) WITHOUT ROWID;
CREATE TABLE request (slot INTEGER PRIMARY KEY, device BLOB NOT NULL, epochs BLOB NOT NULL, day INTEGER NOT NULL,
  seeded INTEGER NOT NULL, epoch INTEGER NOT NULL, tag BLOB NOT NULL) WITHOUT ROWID;
"""
SECRET = ("device", "duty", "waiting_seed", "transport")  # never in a backup
LOCAL = (
    "receipt",
    "unopened",
    "colleague",
    "lack",
    "asked",
    "word",
    "request",
)  # this device's business with colleagues
