"""What leads somewhere is found however it is written; words, days and sums are not."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from sottovoce.outreach.check.addresses import find

SENTENCES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text("utf-8"))["addresses"]
ONION = "k2fq7wab3cdexy5zk2fq7wab3cdexy5zk2fq7wab3cdexy5zk2fq7wab"
PARTS = {
    "onion": ONION, "ONION": ONION.upper(), "groups": " ".join(ONION[at : at + 4] for at in range(0, 56, 4)),
    "first": ONION[:6], "last": ONION[-6:], "half": ONION[:20], "rest": ONION[20:],
}  # fmt: skip
KINDS = {
    "onion": "an onion address", "web": "a web address", "mail": "an e-mail address", "account": "an account",
    "phone": "a phone number",
}  # fmt: skip
EACH = [(kind, text.format(**PARTS)) for kind in KINDS for text in SENTENCES[kind]]


@pytest.mark.parametrize(("kind", "text"), EACH)
def test_what_leads_somewhere_is_found_whole_cut_spaced_or_hidden(kind: str, text: str) -> None:
    assert KINDS[kind] in [each.kind for each in find(text)]


@pytest.mark.parametrize("text", SENTENCES["none"])
def test_days_sums_and_words_lead_nowhere(text: str) -> None:
    assert list(find(text)) == []
