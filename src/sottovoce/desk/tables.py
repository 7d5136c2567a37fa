"""The vault's tables, but for those of team work (`vault_team`)."""

from __future__ import annotations

TABLES = """
CREATE TABLE device (name TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE note (name TEXT PRIMARY KEY, value ANY NOT NULL) WITHOUT ROWID;
CREATE TABLE signed (kind TEXT, hash BLOB, serial INTEGER NOT NULL, raw BLOB NOT NULL,
  PRIMARY KEY (kind, hash)) WITHOUT ROWID;
-- Private halves of duty keys; `public` is the SHA-256 of the public half. An epoch can have several.
CREATE TABLE duty (epoch INTEGER, public BLOB, seed BLOB NOT NULL, PRIMARY KEY (epoch, public)) WITHOUT ROWID;
-- Every edition that the door ever listed, with the hash that it listed first; `read` with all duty keys that are here.
CREATE TABLE edition (number INTEGER PRIMARY KEY, hash BLOB NOT NULL, read INTEGER NOT NULL);
-- What is pending, or was looked at in an edition that is not read to its end. `hash` is NULL before it was fetched;
-- `pending`: members were shown it; `found`: in the edition's own bytes; `opened`: tried with all keys that are here.
CREATE TABLE taken (tag BLOB PRIMARY KEY, edition INTEGER NOT NULL, hash BLOB, pending INTEGER NOT NULL DEFAULT 0,
  found INTEGER NOT NULL DEFAULT 0, opened INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX taken_edition ON taken (edition);
-- Own posts that must appear in an edition, at the latest in this one; `found`: in which they were seen, while that one
-- is not read to its end.
CREATE TABLE posted (tag BLOB PRIMARY KEY, edition INTEGER NOT NULL, hash BLOB NOT NULL, found INTEGER) WITHOUT ROWID;
CREATE TABLE conversation (id BLOB PRIMARY KEY, kem BLOB NOT NULL, dh BLOB NOT NULL, c BLOB NOT NULL) WITHOUT ROWID;
-- `text` is NULL while parts are missing; `vouched` is the slot of the colleague on whose word alone it is here;
-- `again`: the answer was queued anew; `language` is the tag of that in which the source reads our pages.
CREATE TABLE message (place INTEGER PRIMARY KEY, conversation BLOB NOT NULL, direction INTEGER NOT NULL,
  id BLOB NOT NULL, epoch INTEGER NOT NULL, edition INTEGER NOT NULL, slot INTEGER NOT NULL, roster BLOB NOT NULL,
  parts INTEGER NOT NULL, text TEXT, after BLOB, vouched INTEGER, sent INTEGER NOT NULL DEFAULT 0,
  seen INTEGER NOT NULL DEFAULT 0, again INTEGER NOT NULL DEFAULT 0, read INTEGER NOT NULL DEFAULT 0,
  language TEXT, UNIQUE (conversation, direction, id));
CREATE INDEX message_id ON message (id);
-- Exact plaintexts of the parts of believed messages: a colleague who was away may ask for them.
CREATE TABLE plain (tag BLOB PRIMARY KEY, epoch INTEGER NOT NULL, edition INTEGER NOT NULL, message BLOB NOT NULL,
  part INTEGER NOT NULL, plaintext BLOB NOT NULL);
CREATE INDEX plain_message ON plain (message, part);
CREATE INDEX plain_epoch ON plain (epoch);
-- Later parts that nothing authenticates yet: candidates for a message that is here, or orphans.
CREATE TABLE later (tag BLOB NOT NULL, epoch INTEGER NOT NULL, edition INTEGER NOT NULL, message BLOB NOT NULL,
  part INTEGER NOT NULL, parts INTEGER NOT NULL, hash BLOB NOT NULL, plaintext BLOB NOT NULL,
  UNIQUE (message, parts, part, hash));
CREATE INDEX later_edition ON later (edition);
CREATE TABLE queued (place INTEGER PRIMARY KEY, conversation BLOB NOT NULL, text TEXT NOT NULL);
-- What is sealed and not known to be in the pool, one row a part; a dummy has an empty conversation and message.
CREATE TABLE sealed (tag BLOB PRIMARY KEY, conversation BLOB NOT NULL, message BLOB NOT NULL, epoch INTEGER NOT NULL,
  part INTEGER NOT NULL, parts INTEGER NOT NULL, envelope BLOB NOT NULL);
CREATE TABLE used (conversation BLOB, edition INTEGER, PRIMARY KEY (conversation, edition)) WITHOUT ROWID;
-- Alarms stay until they are 30 epochs old: a desk that runs by itself has nobody who reads them at once.
CREATE TABLE alarm (text TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
"""
