"""Where a film is: whole addresses on accounts of the card are taken; truncated and lookalike ones are refused."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from sottovoce.outreach.errors import CallError
from sottovoce.outreach.proof.near import edits
from sottovoce.outreach.proof.places import account_of
from sottovoce.outreach.proof.publications import (
    Published,
    read_publications,
    record,
    record_not_ours,
)

YOUTUBE, INSTAGRAM = "https://www.youtube.com/@harbourcity", "https://www.instagram.com/harbourcity"
FACEBOOK, TELEGRAM = "https://www.facebook.com/harbourcity", "https://t.me/harbourcity"
ACCOUNTS = [YOUTUBE, INSTAGRAM, FACEBOOK, TELEGRAM]
FILM = "https://www.youtube.com/watch?v=a1B2c3D4_-5"
DAY = datetime.date(2026, 11, 26)


@pytest.mark.parametrize(
    ("address", "account"),
    [
        (FILM, YOUTUBE),
        ("https://youtu.be/a1B2c3D4_-5", YOUTUBE),
        ("https://m.youtube.com/shorts/a1B2c3D4_-5", YOUTUBE),
        ("https://www.instagram.com/reel/C9abcDEF_-1/", INSTAGRAM),
        ("https://www.instagram.com/HarbourCity/reel/C9abcDEF_-1/", INSTAGRAM),
        ("https://facebook.com/harbourcity/videos/123456789012345", FACEBOOK),
        ("https://www.facebook.com/reel/123456789012345", FACEBOOK),
        ("https://t.me/harbourcity/17", TELEGRAM),
    ],
)
def test_a_films_whole_address_is_found_on_an_account_of_the_card(address: str, account: str) -> None:
    assert account_of(address, ACCOUNTS) == account


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://www.youtube.com/watch?v=a1B2c3D4", "seems truncated"),
        ("https://youtu.be/a1B2c3D4_-", "seems truncated"),
        ("https://www.instagram.com/reel/C9abc", "seems truncated"),
        ("https://www.youtube.com/watch", "seems truncated"),
        ("https://t.me/harbour/17", "only looks like it"),
        ("https://t.me/harbourcity_/17", "only looks like it"),
        ("https://t.me/harb0urcity/17", "only looks like it"),
        ("https://t.me/somebody/17", "is on no account of the card"),
        ("https://www.y0utube.com/watch?v=a1B2c3D4_-5", "y0utube.com is not youtube.com"),
        ("https://www.youtube.com.video-host.net/watch?v=a1B2c3D4_-5", "is not youtube.com"),
        ("https://vimeo.com/123456789", "No account on vimeo.com is on the card"),
        (YOUTUBE, "is the account itself"),
        ("http://www.youtube.com/watch?v=a1B2c3D4_-5", "no whole plain address"),
        ("youtube.com/watch?v=a1B2c3D4_-5", "no whole plain address"),
        ("https://www.youtube.com@evil.net/watch?v=a1B2c3D4_-5", "no whole plain address"),
        ("https://www.youtube.com:8080/watch?v=a1B2c3D4_-5", "no whole plain address"),
        ("https://www.youtube.com:x/watch", "no whole plain address"),
        ("https://www.youtubе.com/watch?v=a1B2c3D4_-5", "no whole plain address"),  # noqa: RUF001  (one letter is Cyrillic)
        ("https://xn--youtub-x7e.com/watch?v=a1B2c3D4_-5", "no whole plain address"),
        ("https://localhost/harbourcity/1", "names no platform"),
        ("", "no whole plain address"),
    ],
)
def test_what_is_not_ours_or_not_whole_is_refused_with_one_sentence(address: str, said: str) -> None:
    with pytest.raises(CallError, match=said) as caught:
        account_of(address, ACCOUNTS)
    assert str(caught.value).endswith(".")


def test_of_two_accounts_on_one_platform_a_person_says_which() -> None:
    second = "https://www.youtube.com/@harbourcity-fa"
    with pytest.raises(CallError, match="give --account"):
        account_of(FILM, [*ACCOUNTS, second])
    assert account_of(FILM, [*ACCOUNTS, second], second) == second
    with pytest.raises(CallError, match="give --account"):
        account_of(FILM, ACCOUNTS, INSTAGRAM)


def test_an_invented_platform_of_the_example_is_read_like_the_real_one() -> None:
    account = "https://www.youtube.example/@lindu-ombudsman"
    assert account_of("https://www.youtube.example/watch?v=a1B2c3D4_-5", [account]) == account


@pytest.mark.parametrize(
    ("one", "other", "most", "apart"),
    [("", "", 0, 0), ("abc", "abc", 0, 0), ("abc", "abd", 1, 1), ("kitten", "sitting", 4, 3),
     ("kitten", "sitting", 2, 3), ("", "abcdef", 4, 5), ("abcd", "bcda", 4, 2)],
)  # fmt: skip
def test_how_far_two_texts_are_apart(one: str, other: str, most: int, apart: int) -> None:
    assert edits(one, other, most) == edits(other, one, most) == apart


def published(address: str, account: str = "", video: str = "") -> Published:
    """A film that was published today."""
    return Published(address=address, account=account, on=DAY, video=video)


def test_what_went_where_is_recorded_once_and_comes_back(tmp_path: Path) -> None:
    assert read_publications(tmp_path).ours == []
    record(tmp_path, ACCOUNTS, [published(FILM, video='led"ger')])
    record(tmp_path, ACCOUNTS, [published(FILM, video='led"ger'), published("https://t.me/harbourcity/17")])
    record_not_ours(tmp_path, ACCOUNTS, ["https://t.me/harb0urcity", "https://t.me/harb0urcity"])
    held = read_publications(tmp_path)
    assert [(each.address, each.account, each.on) for each in held.ours] == [
        (FILM, YOUTUBE, DAY), ("https://t.me/harbourcity/17", TELEGRAM, DAY),
    ]  # fmt: skip
    assert (held.ours[0].video, held.not_ours) == ('led"ger', ["https://t.me/harb0urcity"])


def test_what_tells_who_passed_an_address_on_is_not_kept(tmp_path: Path) -> None:
    marked = "https://www.youtube.com/watch?v=a1B2c3D4_-5&si=SHARER&t=4#at"
    record(tmp_path, ACCOUNTS, [published(marked)])
    record_not_ours(tmp_path, ACCOUNTS, ["https://www.instagram.com/reel/ABCDEFGHIJK/?igsh=SHARER"])
    held = read_publications(tmp_path)
    assert held.ours[0].address == "https://www.youtube.com/watch?v=a1B2c3D4_-5"
    assert held.not_ours == ["https://www.instagram.com/reel/ABCDEFGHIJK/"]


def test_a_false_onion_address_is_never_recorded_also_without_accounts(tmp_path: Path) -> None:
    for address in (f"https://{'a' * 56}.onion/x", "no address"):
        with pytest.raises(CallError):
            record_not_ours(tmp_path, [], [address])
    assert list(tmp_path.iterdir()) == []


def test_of_several_addresses_one_that_is_wrong_keeps_all_from_being_recorded(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="only looks like it"):
        record(tmp_path, ACCOUNTS, [published(FILM), published("https://t.me/harb0urcity/17")])
    assert list(tmp_path.iterdir()) == []


def test_ours_and_not_ours_exclude_each_other(tmp_path: Path) -> None:
    record(tmp_path, ACCOUNTS, [published(FILM)])
    for own in (FILM, TELEGRAM, "https://t.me/HarbourCity/18"):
        with pytest.raises(CallError, match="account of your own card"):
            record_not_ours(tmp_path, ACCOUNTS, [own])
    fake = "https://www.youtube.com/watch?v=0000000000x"
    record_not_ours(tmp_path, ACCOUNTS, [fake])
    with pytest.raises(CallError, match="recorded as not yours"):
        record(tmp_path, ACCOUNTS, [published(fake)])
    assert [each.address for each in read_publications(tmp_path).ours] == [FILM]
