"""The organisation's accounts on its card: whole addresses only, since a stranger takes what is left of a short one."""

from __future__ import annotations

from pathlib import Path

import pytest
from doubles.organisation import Organisation
from trust.test_signed import TODAY

from sottovoce.protocol.errors import Refused
from sottovoce.trust.accounts import ACCOUNTS_MOST, sign_accounts

OWN = ["https://www.youtube.example/@harbour", "https://www.instagram.example/harbour"]


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    return Organisation(tmp_path_factory.mktemp("o"), TODAY)


def on_the_card(org: Organisation) -> list[str]:
    claim = org.office.claim("card")
    assert claim
    return list(claim.body[3])


def test_accounts_stand_on_the_next_card_and_all_else_stays(org: Organisation) -> None:
    before = org.office.claim("card")
    assert before
    sign_accounts(org.office, OWN, TODAY)
    after = org.office.claim("card")
    assert after
    assert (after.serial, on_the_card(org)) == (before.serial + 1, OWN)
    assert [*after.body[:3], *after.body[4:]] == [*before.body[:3], *before.body[4:]]
    sign_accounts(org.office, [], TODAY)
    assert on_the_card(org) == []


@pytest.mark.parametrize(
    "account",
    [
        "https://t.example/", "https://t.example", "t.example/harbour", "http://t.example/harbour", "@harbour",
        "https://t.example/har bour", "https://me:pw@t.example/harbour", "https://t.example/harbour?x=1",
        "https://t.example/harbour#a", "https://t.example/h\u0430rbour", f"https://t.example/{'a' * 200}", "",
    ],
)  # fmt: skip
def test_what_is_no_whole_address_is_refused_and_nothing_is_signed(org: Organisation, account: str) -> None:
    before = org.office.claim("card")
    with pytest.raises(Refused, match=r"whole address|plain address"):
        sign_accounts(org.office, [OWN[0], account], TODAY)
    assert org.office.claim("card") == before


def test_too_many_accounts_and_the_same_one_twice_are_refused(org: Organisation) -> None:
    for accounts in ([OWN[0]] * 2, [f"https://t.example/{n}" for n in range(ACCOUNTS_MOST + 1)]):
        with pytest.raises(Refused, match="at most"):
            sign_accounts(org.office, accounts, TODAY)


def test_an_office_without_a_card_says_so(tmp_path: Path) -> None:
    org = Organisation(tmp_path, TODAY)
    org.office.signed.path("card").unlink()
    with pytest.raises(Refused, match="no card yet"):
        sign_accounts(org.office, OWN, TODAY)
