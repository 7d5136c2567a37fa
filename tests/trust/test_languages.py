"""Signed-off languages and dated advice: what is taken, and what the office does and keeps to itself."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from doubles.admitted import Team
from doubles.organisation import PASSPHRASE
from hypothesis import given, settings
from hypothesis import strategies as st
from trust.test_signed import ORG, ROOT, ROOT_KEY, STRANGER, TODAY

from sottovoce.protocol.errors import Refused
from sottovoce.trust.languages import Advice, Languages, UntrustedAdvice, UntrustedLanguages
from sottovoce.trust.locked import WrongPassphrase
from sottovoce.trust.office import restore
from sottovoce.trust.published import SignedFolder, write_durably
from sottovoce.trust.reviews import Review, approve, reviews, sign_advice, signed_off, withdraw
from sottovoce.trust.signed import Claim
from sottovoce.trust.succession import begin_succession, end_succession

TEXTS, HASH = b"all that a visitor reads", hashlib.sha256(b"all that a visitor reads").digest()
REVIEW = Review("fa", TODAY, HASH, "Shirin of the legal clinic")
LANGUAGES_CLAIM = Claim("languages", ORG, 1, TODAY, TODAY + 3_650, {"fa": [HASH, TODAY]})
ADVICE_CLAIM = Claim("advice", ORG, 1, TODAY, TODAY + 56, [TODAY, {"fa": "First.\n\nSecond."}])


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return Team(tmp_path_factory.mktemp("team"), TODAY, members=1, threshold=1)


@pytest.fixture
def team(founded: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.setattr("sottovoce.trust.locked.MEMORY", 64)  # its strength is tried elsewhere
    monkeypatch.setattr("sottovoce.trust.locked.PASSES", 1)
    return founded.copy(tmp_path)


def signed_languages(body: object) -> Languages:
    """What the root signed, read."""
    return UntrustedLanguages.of(replace(LANGUAGES_CLAIM, body=body).sign([ROOT_KEY])).verify(ROOT, TODAY)


def signed_advice(claim: Claim = ADVICE_CLAIM) -> Advice:
    """What the root signed, read."""
    return UntrustedAdvice.of(claim.sign([ROOT_KEY])).verify(ROOT)


def approved(team: Team, review: Review = REVIEW, texts: bytes = TEXTS) -> None:
    """A language is signed off."""
    approve(team.office, PASSPHRASE, texts, review, secrets.token_bytes)


def publish(team: Team) -> SignedFolder:
    """The server's folder after the office's files were copied there, packs included."""
    team.publish()
    for path in (team.office.folder / "signed").glob("*.pack"):
        write_durably(team.server / "signed" / path.name, path.read_bytes())
    return team.signed


def test_8_16_a_list_says_which_texts_are_signed_off() -> None:
    made = signed_languages({"fa": [HASH, TODAY - 3], "zh-Hans": [bytes(32), TODAY]})
    assert made.hashes == {"fa": HASH, "zh-Hans": bytes(32)}
    assert made.reviewed == {"fa": TODAY - 3, "zh-Hans": TODAY}
    assert signed_languages({}).hashes == {}


@pytest.mark.parametrize(
    "body",
    [
        [],
        {1: [HASH, TODAY]},
        {"": [HASH, TODAY]},
        {"../fa": [HASH, TODAY]},
        {"fa\n": [HASH, TODAY]},
        {"fa": HASH},
        {"fa": [HASH]},
        {"fa": [HASH[1:], TODAY]},
        {"fa": [HASH, True]},
        {"fa": [HASH, TODAY, 1]},
        {f"a{chr(97 + number)}": [HASH, TODAY] for number in range(17)},
    ],
)
def test_8_16_another_shape_is_refused(body: object) -> None:
    with pytest.raises(Refused, match="form it must have") as caught:
        signed_languages(body)
    assert caught.value.layer == "roster"


def test_8_16_a_strangers_list_is_refused() -> None:
    with pytest.raises(Refused, match="signatures"):
        UntrustedLanguages.of(LANGUAGES_CLAIM.sign([STRANGER])).verify(ROOT, TODAY)


def test_8_17_advice_is_shown_for_eight_weeks_and_its_day_for_ever() -> None:
    made = signed_advice()
    assert (made.verified, made.texts) == (TODAY, {"fa": "First.\n\nSecond."})
    fresh = {day: made.fresh(TODAY + day) for day in (-2, -1, 0, 56, 57, 4_000)}
    assert fresh == {-2: False, -1: True, 0: True, 56: True, 57: False, 4_000: False}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [TODAY],
        [True, {}],
        [str(TODAY), {}],
        [TODAY, []],
        [TODAY, {"f": "a"}],
        [TODAY, {"fa": ""}],
        [TODAY, {"fa": b"a"}],
        [TODAY, {"fa": "ب" * 2_001}],
        [TODAY, {"fa": "a\tb"}],
        [TODAY, {"fa": "a\x9b2J"}],
        [TODAY + 1, {}],
        [TODAY, {f"a{chr(97 + number)}": "a" for number in range(17)}],
    ],
)
def test_8_17_another_shape_is_refused(body: object) -> None:
    with pytest.raises(Refused, match="form it must have"):
        signed_advice(replace(ADVICE_CLAIM, body=body, expires=TODAY + 56 + (body == [TODAY + 1, {}])))


def test_8_17_advice_that_claims_a_longer_life_is_refused() -> None:
    with pytest.raises(Refused, match="form it must have"):
        signed_advice(replace(ADVICE_CLAIM, expires=TODAY + 57))
    with pytest.raises(Refused, match="signatures"):
        UntrustedAdvice.of(ADVICE_CLAIM.sign([STRANGER])).verify(ROOT)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_8_16_and_8_17_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    claim, read = data.draw(
        st.sampled_from(
            [
                (LANGUAGES_CLAIM, lambda raw: UntrustedLanguages.of(raw).verify(ROOT, TODAY)),
                (ADVICE_CLAIM, lambda raw: UntrustedAdvice.of(raw).verify(ROOT)),
            ]
        )
    )
    raw = bytearray(claim.sign([ROOT_KEY]))
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Refused):
        read(bytes(raw))


def test_a_signed_off_language_is_offered_with_exactly_the_texts_that_were_reviewed(team: Team) -> None:
    assert team.signed.published(TODAY).languages == {}
    approved(team)
    server = publish(team)
    published = server.published(TODAY)
    assert (published.languages, published.card.languages) == ({"fa": HASH}, ["en", "fa"])
    assert server.pack("fa") == TEXTS
    assert server.pack("ru") is None
    server.pack_path("fa").write_bytes(TEXTS + b" and one more")
    assert server.pack("fa") is None
    server.pack_path("fa").unlink()
    assert server.pack("fa") is None


@pytest.mark.parametrize("kind", ["languages", "advice"])
def test_a_damaged_or_forged_file_is_as_none_and_locks_nobody_out(team: Team, kind: str) -> None:
    approved(team)
    sign_advice(team.office, TODAY, {"en": "Ask a friend."}, TODAY)
    server = publish(team)
    assert server.published(TODAY).advice is not None
    forged = {"languages": {"fa": [HASH, TODAY]}, "advice": [TODAY, {}]}[kind]
    claim = Claim(kind, team.organisation.org, 9, TODAY, TODAY + 56, forged)
    for raw in (b"", b"junk", claim.sign([STRANGER]), (server.get("card") or b"")):
        server.path(kind).write_bytes(raw)
        published = server.published(TODAY)
        held = {"languages": (published.languages, server.pack("fa")), "advice": published.advice}
        assert held.pop(kind) == {"languages": ({}, None), "advice": None}[kind]
        assert held != dict.fromkeys(held), "the other one is as it was"
        assert published.card.languages == ["en", "fa"]


def test_a_languages_texts_change_only_with_a_new_review(team: Team) -> None:
    approved(team)
    other = b"other texts"
    with pytest.raises(Refused, match="not those that were reviewed"):
        approved(team, texts=other)
    approved(team, Review("fa", TODAY + 1, hashlib.sha256(other).digest(), "Darya"), other)
    assert team.office.signed.pack("fa") == other
    assert [each.reviewer for each in reviews(team.office.folder, PASSPHRASE)] == [REVIEW.reviewer, "Darya"]


@pytest.mark.parametrize(
    ("review", "said"),
    [
        (REVIEW._replace(language="en"), "no language that is signed off"),
        (REVIEW._replace(language="../x"), "no language that is signed off"),
        (REVIEW._replace(reviewer=" "), "reviewer's name"),
        (REVIEW._replace(reviewer="x" * 101), "reviewer's name"),
    ],
)
def test_what_is_no_review_signs_nothing(team: Team, review: Review, said: str) -> None:
    with pytest.raises(Refused, match=said):
        approved(team, review)
    assert signed_off(team.office) == {}
    assert reviews(team.office.folder, PASSPHRASE) == []


def test_seventeen_languages_are_too_many(team: Team) -> None:
    body = {f"a{chr(97 + number)}": [HASH, TODAY] for number in range(16)}
    team.office.sign("languages", team.organisation.org, TODAY, TODAY + 9, body)
    with pytest.raises(Refused, match="withdraw one first"):
        approved(team)


def test_a_language_is_withdrawn_and_its_record_stays(team: Team) -> None:
    approved(team)
    publish(team)
    withdraw(team.office, "fa", TODAY + 1)
    server = publish(team)
    assert (server.published(TODAY + 1).languages, server.published(TODAY + 1).card.languages) == ({}, ["en"])
    assert server.pack("fa") is None
    assert reviews(team.office.folder, PASSPHRASE) == [REVIEW]
    with pytest.raises(Refused, match="not signed off"):
        withdraw(team.office, "fa", TODAY + 1)


@pytest.mark.parametrize("signatures", [0, 1])
def test_what_was_interrupted_between_two_signatures_can_be_done_again(
    team: Team, monkeypatch: pytest.MonkeyPatch, signatures: int
) -> None:
    def cut(patched: pytest.MonkeyPatch) -> None:
        kinds = iter(["card", "languages"][:signatures])
        sign = team.office.sign

        def signing(kind: str, org: bytes, today: int, expires: int, body: object) -> int:
            assert kind == next(kinds, None), "the power went"
            return sign(kind, org, today, expires, body)

        patched.setattr(team.office, "sign", signing)

    acts: list[Callable[[], None]] = [lambda: approved(team), lambda: withdraw(team.office, "fa", TODAY)]
    for act in acts:
        with monkeypatch.context() as patched:
            cut(patched)
            with pytest.raises(AssertionError, match="the power went"):
                act()
        act()
    published = publish(team).published(TODAY)
    assert (published.languages, published.card.languages) == ({}, ["en"])
    assert reviews(team.office.folder, PASSPHRASE) == [REVIEW]


def test_a_reviewers_name_is_locked_in_the_office_and_goes_nowhere_else(team: Team, tmp_path: Path) -> None:
    approved(team)
    approved(team)  # interrupted and done again: one record
    publish(team)
    assert reviews(team.office.folder, PASSPHRASE) == [REVIEW]
    with pytest.raises(WrongPassphrase):
        reviews(team.office.folder, "another passphrase")
    files = [path for path in team.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if b"Shirin" in path.read_bytes()]
    assert not list(team.server.rglob("reviews*"))
    raw = team.office.backup(PASSPHRASE, secrets.token_bytes)
    again = restore(raw, PASSPHRASE, tmp_path / "again")
    assert reviews(again.folder, PASSPHRASE) == [REVIEW]
    assert again.signed.pack("fa") == TEXTS


def test_8_16_and_8_17_a_new_root_signs_all_anew_and_makes_advice_no_younger(team: Team) -> None:
    approved(team)
    sign_advice(team.office, TODAY - 50, {"fa": "Ask a friend."}, TODAY)
    later = TODAY + 100
    begin_succession(team.office, PASSPHRASE, secrets.token_bytes, later)
    end_succession(team.office, PASSPHRASE, secrets.token_bytes)
    server = publish(team)
    published = server.published(later)
    assert (published.languages, server.pack("fa")) == ({"fa": HASH}, TEXTS)
    assert published.advice is not None
    assert (published.advice.verified, published.advice.fresh(later)) == (TODAY - 50, False)
    assert published.advice.claim.serial == 2


def test_a_renewal_leaves_sign_offs_and_advice_as_they_are(team: Team) -> None:
    approved(team)
    sign_advice(team.office, TODAY, {}, TODAY)
    before = [team.office.signed.get(kind) for kind in ("languages", "advice")]
    team.office.renew(TODAY + 9)
    assert [team.office.signed.get(kind) for kind in ("languages", "advice")] == before
    assert publish(team).published(TODAY + 9).card.languages == ["en", "fa"]


@pytest.mark.parametrize(
    ("verified", "texts", "said"),
    [
        (TODAY + 1, {}, "last 56 days"),
        (TODAY - 57, {}, "last 56 days"),
        (TODAY, {"persian": "a"}, "tag"),
        (TODAY, {"fa": "x" * 2_001}, "1 to 2000"),
        (TODAY, {"fa": "a\r"}, "control characters"),
        (TODAY, {f"a{chr(97 + number)}": "\u4e00" * 2_000 for number in range(11)}, "shorten it"),
        (TODAY, {f"a{chr(97 + number)}": "a" for number in range(17)}, "at most 16 languages"),
    ],
)
def test_8_17_the_office_signs_no_advice_that_nobody_could_read(
    team: Team, verified: int, texts: dict[str, str], said: str
) -> None:
    with pytest.raises(Refused, match=said) as caught:
        sign_advice(team.office, verified, texts, TODAY)
    assert str(caught.value).endswith(".")
    assert team.office.signed.get("advice") is None


def test_8_17_the_longest_advice_in_six_languages_is_taken(team: Team) -> None:
    texts = dict.fromkeys(["fa", "ko", "ru", "zh-Hans", "zh-Hant", "en"], "\u4e00" * 1_600)
    sign_advice(team.office, TODAY, texts, TODAY)
    advice = publish(team).published(TODAY).advice
    assert advice is not None
    assert advice.texts == texts
