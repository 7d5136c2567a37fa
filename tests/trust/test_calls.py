"""A call's sign-off and the list of calls: what is taken, and what the office does."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from doubles.admitted import Team
from doubles.organisation import PASSPHRASE, Organisation
from hypothesis import given, settings
from hypothesis import strategies as st
from trust.test_signed import ORG, ROOT, ROOT_KEY, STRANGER, TODAY

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.trust.call_list import CallList, ListedFile, ListedTexts, digest_of
from sottovoce.trust.call_office import sign_call, sign_texts, signed_calls, withdraw_call
from sottovoce.trust.calls import (
    Calls,
    CallTexts,
    SignedCall,
    UntrustedCalls,
    UntrustedCallTexts,
    is_call_name,
    read_texts,
)
from sottovoce.trust.published import SignedFolder, write_durably
from sottovoce.trust.reviews import Review, reviews
from sottovoce.trust.signed import Claim
from sottovoce.trust.succession import begin_succession, end_succession

SAID = b"all that the call says in Persian"
HASH = hashlib.sha256(SAID).digest()
REVIEW = Review("fa", TODAY, HASH, "Shirin of the legal clinic")
TEXTS_CLAIM = Claim("texts", ORG, 1, TODAY, TODAY + 3_650, {"fa": [HASH, TODAY]})
CALLS_CLAIM = Claim("calls", ORG, 1, TODAY, TODAY + 3_650, {"harbour": [HASH, TODAY + 90]})
FILE = ListedFile("upload/youtube/fa/1-1 ledger.mp4", 9_000, HASH, "fa", "youtube", "The ledger")
LIST = CallList(
    "harbour", TODAY + 90, [FILE], {"fa": ListedTexts(HASH, "چرا پیش آمدم")},
    [("https://www.youtube.com/watch?v=0123456789a", "https://www.youtube.com/@harbour")], ["https://t.me/harb0ur"],
    [b"a certificate"],
)  # fmt: skip
NAMES = [f"{chr(97 + number)}{chr(97 + number)}" for number in range(21)]


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return Team(tmp_path_factory.mktemp("team"), TODAY, members=1, threshold=1)


@pytest.fixture
def team(founded: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.setattr("sottovoce.trust.locked.MEMORY", 64)  # its strength is tried elsewhere
    monkeypatch.setattr("sottovoce.trust.locked.PASSES", 1)
    return founded.copy(tmp_path / "team")


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """A call's folder of signed files, still empty."""
    return tmp_path / "call" / "signed"


def texts_of(body: object) -> CallTexts:
    """What the root signed, read."""
    return UntrustedCallTexts.of(replace(TEXTS_CLAIM, body=body).sign([ROOT_KEY])).verify(ROOT)


def calls_of(body: object) -> Calls:
    """What the root signed, read."""
    return UntrustedCalls.of(replace(CALLS_CLAIM, body=body).sign([ROOT_KEY])).verify(ROOT, TODAY)


def approved(team: Team, call: Path, review: Review = REVIEW, said: bytes = SAID) -> None:
    """A language of a call is signed off."""
    sign_texts(team.office, PASSPHRASE, call, said, review, secrets.token_bytes)


def publish(team: Team) -> SignedFolder:
    """The server's folder after the office's files were copied there, lists included."""
    team.publish()
    for path in (team.office.folder / "signed").glob("*.list"):
        write_durably(team.server / "signed" / path.name, path.read_bytes())
    return team.signed


def test_8_18_a_sign_off_says_which_texts_of_a_call_were_reviewed() -> None:
    made = texts_of({"fa": [HASH, TODAY - 3], "en": [bytes(32), TODAY]})
    assert made.hashes == {"fa": HASH, "en": bytes(32)}
    assert made.reviewed == {"fa": TODAY - 3, "en": TODAY}


def test_8_19_calls_say_their_lists_and_their_last_days() -> None:
    assert calls_of({"harbour": [HASH, TODAY], "old-quay": [bytes(32), 0]}).calls == {
        "harbour": SignedCall(HASH, TODAY), "old-quay": SignedCall(bytes(32), 0),
    }  # fmt: skip
    assert calls_of({}).calls == {}


@pytest.mark.parametrize(
    "body",
    [[], {"../fa": [HASH, 1]}, {1: [HASH, 1]}, {"fa": HASH}, {"fa": [HASH[1:], 1]}, {"fa": [HASH, True]},
     {f"a{chr(97 + number)}": [HASH, 1] for number in range(17)}],
)  # fmt: skip
def test_8_18_another_shape_is_refused(body: object) -> None:
    with pytest.raises(Refused, match="form it must have"):
        texts_of(body)


@pytest.mark.parametrize(
    "body",
    [[], {"": [HASH, 1]}, {"Harbour": [HASH, 1]}, {"../harbour": [HASH, 1]}, {"harbour": HASH}, {"harbour": [HASH]},
     {"harbour": [HASH[1:], 1]}, {"harbour": [HASH, True]}, {"harbour": [HASH, 1, 1]}, {1: [HASH, 1]},
     {name: [HASH, 1] for name in NAMES}],
)  # fmt: skip
def test_8_19_another_shape_is_refused(body: object) -> None:
    with pytest.raises(Refused, match="form it must have"):
        calls_of(body)


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        *[(name, True) for name in ("harbour", "old-quay", "x" * 32)],
        *[(name, False) for name in ("a-b", "harbour2", "harbour\n", "-ab", "ab--cd", "aa-bb-cc-dd-ee", "x" * 33)],
        *[(name, False) for name in ("Harbour", "порт", b"ab", 7)],
    ],
)
def test_8_19_a_name_has_nothing_to_count_readers_with(name: object, fits: bool) -> None:
    assert is_call_name(name) is fits


def test_8_18_and_8_19_a_strangers_word_is_refused() -> None:
    with pytest.raises(Refused, match="signatures"):
        UntrustedCallTexts.of(TEXTS_CLAIM.sign([STRANGER])).verify(ROOT)
    with pytest.raises(Refused, match="signatures"):
        UntrustedCalls.of(CALLS_CLAIM.sign([STRANGER])).verify(ROOT, TODAY)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_8_18_and_8_19_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    claim, read = data.draw(
        st.sampled_from(
            [
                (TEXTS_CLAIM, lambda raw: UntrustedCallTexts.of(raw).verify(ROOT)),
                (CALLS_CLAIM, lambda raw: UntrustedCalls.of(raw).verify(ROOT, TODAY)),
            ]
        )
    )
    raw = bytearray(claim.sign([ROOT_KEY]))
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Refused):
        read(bytes(raw))


def test_8_19_a_list_comes_back_as_it_was_and_is_the_same_for_the_same_files() -> None:
    other = FILE._replace(path="leaflet fa.pdf", digest=bytes(32))
    both = [replace(LIST, files=files).encode() for files in ([FILE, other], [other, FILE])]
    assert both[0] == both[1]
    read = CallList.read(both[0])
    assert (read.files, read.texts, read.published, read.not_ours, read.anchors) == (
        [other, FILE], LIST.texts, LIST.published, LIST.not_ours, LIST.anchors,
    )  # fmt: skip
    assert read.find(HASH) == FILE
    assert read.find(b"x" * 32) is None


@pytest.mark.parametrize(
    "changed",
    [{0: 2}, {0: True}, {1: "Harbour"}, {2: True}, {2: "1"}, {3: {}}, {3: [[]]}, {3: [[*FILE[:2], b"", *FILE[3:]]]},
     {3: [["", *FILE[1:]]]}, {3: [["a\nb", *FILE[1:]]]}, {3: [["a", True, *FILE[2:]]]}, {3: [list(FILE)] * 4_097},
     {4: []}, {4: {"x": [HASH, ""]}}, {4: {"fa": [HASH]}}, {4: {"fa": [HASH, "a\u2028b"]}}, {5: [["a"]]},
     {5: [["a", 1]]}, {6: [1]}, {6: ["x" * 1_001]}, {7: 1},
     {7: [""]}, {7: [b""]}, {7: [b"x" * 2_049]}, {7: [b"x"] * 5}, {8: 1}],
)  # fmt: skip
def test_8_19_another_list_is_refused(changed: dict[int, object]) -> None:
    with pytest.raises(Refused) as caught:
        CallList.read(cbor.encode({**cbor.decode(LIST.encode(), "body", 65_536), **changed}))
    assert str(caught.value).endswith(".")


@given(st.binary(max_size=200))
def test_8_19_junk_is_no_list(raw: bytes) -> None:
    with pytest.raises(Refused):
        CallList.read(raw)


def test_nobody_signs_a_list_that_nobody_can_read(team: Team, call: Path) -> None:
    with pytest.raises(Refused, match="form it must have"):
        sign_call(team.office, call, replace(LIST, files=[FILE._replace(path="a\nb")]), TODAY)
    assert signed_calls(team.office) == {}


def test_a_signed_call_reaches_the_server_with_exactly_the_list_that_was_signed(team: Team, call: Path) -> None:
    assert team.signed.published(TODAY).calls == {}
    digest = sign_call(team.office, call, LIST, TODAY)
    server = publish(team)
    assert server.published(TODAY).calls == {"harbour": SignedCall(digest, TODAY + 90)}
    assert server.call_list("harbour") == SignedFolder(call).call_list("harbour") == LIST
    assert server.call_list("quay") is None
    server.list_path("harbour").write_bytes(replace(LIST, files=[]).encode())
    assert server.call_list("harbour") is None
    server.list_path("harbour").unlink()
    assert server.call_list("harbour") is None


def test_8_19_a_list_under_another_name_or_day_is_not_believed(team: Team, call: Path) -> None:
    sign_call(team.office, call, LIST, TODAY)
    digest = digest_of(LIST.encode())
    for name, until in (("quay", TODAY + 90), ("harbour", TODAY + 91)):
        team.office.sign("calls", team.organisation.org, TODAY, TODAY + 9, {name: [digest, until]})
        team.office.signed.list_path(name).write_bytes(LIST.encode())
        assert team.office.signed.call_list(name) is None


def test_a_damaged_or_forged_list_of_calls_is_as_none_and_locks_nobody_out(team: Team, call: Path) -> None:
    sign_call(team.office, call, LIST, TODAY)
    server = publish(team)
    claim = replace(CALLS_CLAIM, org=team.organisation.org, serial=9)
    for raw in (b"", b"junk", claim.sign([STRANGER]), server.get("card") or b""):
        server.path("calls").write_bytes(raw)
        published = server.published(TODAY)
        assert (published.calls, server.call_list("harbour")) == ({}, None)
        assert published.card.addresses == [team.organisation.address]


def test_a_call_is_withdrawn_and_its_list_goes(team: Team, call: Path) -> None:
    sign_call(team.office, call, LIST, TODAY)
    sign_call(team.office, call, replace(LIST, name="quay"), TODAY)
    withdraw_call(team.office, "harbour", TODAY)
    assert signed_calls(team.office).keys() == {"quay"}
    assert [path.name for path in team.office.signed.folder.glob("*.list")] == ["call-quay.list"]
    with pytest.raises(Refused, match="No call harbour is signed; these are: quay"):
        withdraw_call(team.office, "harbour", TODAY)


def test_a_call_whose_last_day_is_over_goes_with_the_next_signature(team: Team, call: Path) -> None:
    sign_call(team.office, call, replace(LIST, until=TODAY), TODAY)
    sign_call(team.office, call, replace(LIST, name="quay"), TODAY)
    assert signed_calls(team.office).keys() == {"harbour", "quay"}, "it still has this day"
    sign_call(team.office, call, replace(LIST, name="bridge"), TODAY + 1)
    assert signed_calls(team.office).keys() == {"quay", "bridge"}
    with pytest.raises(Refused, match="last day is over"):
        sign_call(team.office, call, replace(LIST, until=TODAY), TODAY + 1)


def test_a_twenty_first_call_is_refused_and_one_of_the_twenty_can_be_signed_anew(team: Team, call: Path) -> None:
    body = {name: [HASH, TODAY + 9] for name in NAMES[:20]}
    team.office.sign("calls", team.organisation.org, TODAY, TODAY + 9, body)
    with pytest.raises(Refused, match="withdraw one first"):
        sign_call(team.office, call, LIST, TODAY)
    sign_call(team.office, call, replace(LIST, name=NAMES[0]), TODAY)
    assert len(signed_calls(team.office)) == 20


@pytest.mark.parametrize("done", [0, 1])
def test_what_was_interrupted_while_a_call_was_signed_can_be_done_again(
    team: Team, call: Path, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    writes = iter(range(done))

    def writing(path: Path, raw: bytes, day: int | None = None) -> None:
        assert next(writes, None) is not None, "the power went"
        write_durably(path, raw, day)

    with monkeypatch.context() as patched:
        patched.setattr("sottovoce.trust.call_office.bring", lambda *_: None)
        patched.setattr("sottovoce.trust.call_office.write_durably", writing)
        with pytest.raises(AssertionError, match="the power went"):
            sign_call(team.office, call, LIST, TODAY)
    sign_call(team.office, call, LIST, TODAY)
    assert publish(team).call_list("harbour") == LIST


def test_8_18_a_reviewed_language_is_signed_off_beside_those_before(team: Team, call: Path) -> None:
    approved(team, call)
    other = b"all that it says in Russian"
    approved(team, call, Review("ru", TODAY + 1, hashlib.sha256(other).digest(), "Darya"), other)
    root = team.office.root(TODAY)
    assert read_texts(SignedFolder(call).get("texts"), root) == {"fa": HASH, "ru": hashlib.sha256(other).digest()}
    assert UntrustedCallTexts.of(SignedFolder(call).get("texts") or b"").claim.serial == 2
    assert [each.reviewer for each in reviews(team.office.folder, PASSPHRASE)] == [REVIEW.reviewer, "Darya"]
    assert not [path for path in call.rglob("*") if b"Shirin" in path.read_bytes()]
    assert SignedFolder(call).get("card") == team.office.signed.get("card")


@pytest.mark.parametrize(
    ("review", "said", "why"),
    [
        (REVIEW, b"other texts", "not those that were reviewed"),
        (REVIEW._replace(language="../x"), SAID, "is no language"),
        (REVIEW._replace(reviewer=" "), SAID, "reviewer's name"),
    ],
)
def test_what_is_no_review_signs_nothing(team: Team, call: Path, review: Review, said: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        approved(team, call, review, said)
    assert not call.exists()
    assert reviews(team.office.folder, PASSPHRASE) == []


def test_another_organisations_call_is_not_signed(team: Team, call: Path, tmp_path: Path) -> None:
    other = Organisation(tmp_path / "other", TODAY)
    write_durably(call / "root.signed", other.office.signed.get("root") or b"")
    acts: list[Callable[[], object]] = [
        lambda: approved(team, call),
        lambda: sign_call(team.office, call, LIST, TODAY),
    ]
    for act in acts:
        with pytest.raises(Refused, match="another organisation's"):
            act()
    assert (signed_calls(team.office), [path.name for path in call.iterdir()]) == ({}, ["root.signed"])


def test_8_18_and_8_19_a_new_root_signs_the_calls_anew_and_sign_offs_are_begun_anew(team: Team, call: Path) -> None:
    approved(team, call)
    digest = sign_call(team.office, call, LIST, TODAY)
    begin_succession(team.office, PASSPHRASE, secrets.token_bytes, TODAY + 9)
    end_succession(team.office, PASSPHRASE, secrets.token_bytes)
    server, root = publish(team), team.office.root(TODAY + 9)
    assert server.published(TODAY + 9).calls == {"harbour": SignedCall(digest, TODAY + 90)}
    assert server.call_list("harbour") == LIST
    assert read_texts(SignedFolder(call).get("texts"), root) == {}
    approved(team, call, REVIEW._replace(epoch=TODAY + 9))
    assert read_texts(SignedFolder(call).get("texts"), root) == {"fa": HASH}
