"""The organisation's own accounts on the card: what is not among them is not the organisation's (spec 8.7)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from sottovoce.protocol.errors import Refused

from .office import CARD_DAYS, Office

ACCOUNTS_MOST = 32
_LETTERS_MOST = 200


def sign_accounts(office: Office, accounts: Sequence[str], today: int) -> None:
    """Signs the card anew with these accounts instead of those that it had; Refused when one is no whole address."""
    card = office.claim("card")
    if card is None:
        raise Refused("roster", "The office has no card yet: make the organisation first.")
    if len(accounts) > ACCOUNTS_MOST or len(set(accounts)) != len(accounts):
        raise Refused("roster", f"A card takes at most {ACCOUNTS_MOST} accounts, each once.")
    for account in accounts:
        check_account(account)
    office.sign("card", card.org, today, today + CARD_DAYS, [*card.body[:3], list(accounts), *card.body[4:]])


def check_account(account: str) -> None:
    """Refused unless it is an account's whole web address: a truncated one can be registered by a stranger."""
    parts = urlsplit(account)
    whole = parts.scheme == "https" and "." in parts.netloc and parts.path.strip("/") and account.isprintable()
    if not whole or parts.username or parts.query or parts.fragment or " " in account or len(account) > _LETTERS_MOST:
        raise Refused(
            "roster",
            f"“{account[:80]}” is not an account's whole address: copy it from a browser, https:// and all.",
        )
    if not account.isascii():
        raise Refused("roster", f"“{account[:80]}” has letters that look like others: take its plain address.")
