"""A small call for tests: what a communications person wrote, with a root and a card that the real office signed."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from doubles.organisation import NAME, Organisation

from sottovoce.outreach.call import Call, read_call
from sottovoce.outreach.proof.said import said
from sottovoce.trust.signed import Claim

CALL_NAME = "harbour"
CALL = f"""\
name = "{CALL_NAME}"
languages = ["en"]
videos = ["ledger"]
platforms = ["youtube", "forward"]
until = 2026-12-31
"""
POLICY = """\
phone = "never"
vpn = "none"
helper = "never"
email = "never"
private_mode = "never"
device = "own"
promises = "none"
"""
TEXTS = f"""\
organisation = "{NAME}"
title = "Why I came forward"
lead = "Tell us what you saw in the harbour office."
body = ["We look into how the harbour's contracts were given."]

[videos.ledger]
title = "The ledger"
description = "A clerk adds up a column that has no end."
tags = ["harbour"]
"""
VIDEO = """\
spoken = "en"
dramatised = true
synthetic = ["voice"]
seconds = 4.0

[[scenes]]
picture = "scene.svg"
start = 0.0

[sound]
voice = "en"

[[sound.lines]]
start = 0.5
say = "The sums never met."
"""
CAPTIONS = "1\n00:00:00,500 --> 00:00:02,500\nThe sums never met.\n"
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-960 -540 1920 1080"><rect width="9" height="9"/></svg>\n'


def write_call(folder: Path, office: Path) -> Path:
    """The call's folder, for the card as the office has it now."""
    files = {
        "call.toml": CALL, "policy.toml": POLICY, "logo.svg": DRAWING, "texts/en.toml": TEXTS,
        "videos/ledger/video.toml": VIDEO, "videos/ledger/captions/en.srt": CAPTIONS,
        "videos/ledger/scene.svg": DRAWING,
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    (folder / "signed").mkdir()
    for kind in ("root", "card"):
        shutil.copy(office / "signed" / f"{kind}.signed", folder / "signed")
    return folder


def read(folder: Path, organisation: Organisation) -> Call:
    """The call as it is now."""
    return read_call(folder, organisation.today)


def sign_off_claim(call: Call, **changed: bytes) -> Claim:
    """The sign-off of a call's texts as they are, with other hashes where given."""
    hashes = {language: hashlib.sha256(said(call, language)).digest() for language in call.file.languages}
    issued = call.root.claim.issued
    body = {language: [digest, issued] for language, digest in {**hashes, **changed}.items()}
    return Claim("texts", call.root.org, 1, issued, call.root.claim.expires, body)


def sign_off(call: Call, organisation: Organisation, **changed: bytes) -> None:
    """The root signs."""
    raw = sign_off_claim(call, **changed).sign([organisation.office.root_key()])
    (call.folder / "signed/texts.signed").write_bytes(raw)
