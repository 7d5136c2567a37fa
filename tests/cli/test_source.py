"""Verbs of a source's own computer, against the pool's real API; what they print, keep, and send."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cli.conftest import Run
from doubles.leaks import Secrets, in_files
from doubles.onion import Onion, serving
from doubles.organisation import NAME, Organisation
from doubles.world import TODAY, World, make_world, organisation
from starlette.applications import Starlette

from sottovoce.cli.source_road import over_onion
from sottovoce.pool.api import public_routes
from sottovoce.pool.editions import Editions
from sottovoce.pool.errors import PutResult, Reply
from sottovoce.protocol.keys import SourceKeys
from sottovoce.protocol.sizes import EPOCH_SECONDS, epoch_of
from sottovoce.protocol.words import Passphrase, parse
from sottovoce.source.receipt import Receipt
from sottovoce.trust.notice import KINDS, Kind, notice_claim
from sottovoce.trust.published import SignedFolder
from sottovoce.trust.roster import check_words

PHRASE = Passphrase(bytes(range(16)))
TEXT = "The ledger of pier seven names a ship in repair.\n第七码头的账本是假的。"
HOSTILE = "Hello\x1b[2J\x1b]0;title\x07\r\x9b31m\u202egnp.exe\u2066\u200b\n[red]not ours[/red]\tend \u200c\u0645\u06cc"
Show = Callable[[Kind, int, int | None], None]
LONG = "Who was paid twice? " * 1_500  # five parts


@pytest.fixture
def org() -> Organisation:
    """An organisation on duty."""
    return organisation()


@dataclass
class Device:
    """A source's computer, with a road to the world's pool instead of tor."""

    world: World
    onion: Onion
    run: Run
    folder: Path
    text: Path
    words: Path

    def begin(self, *options: str) -> list[str]:
        """Meets the organisation; the twelve words that were printed."""
        done = self.run("source", "begin", self.folder, self.world.org.address, *options)
        assert (done.code, "ALARM" in done.err) == (0, False)
        return printed_words(done.out)

    def write(self, text: str = TEXT, *options: str) -> str:
        """Writes with PHRASE's words; what was printed."""
        self.text.write_text(text, "utf-8")
        self.words.write_text(" ".join(PHRASE.words()), "utf-8")
        done = self.run(
            "source", "write", self.folder, "--text-file", self.text, "--words-file", self.words, "--first", *options
        )
        assert done.code == 0, done.err
        return done.out

    def inbox(self) -> str:
        """Looks for answers with PHRASE's words; what was printed."""
        self.words.write_text(" ".join(PHRASE.numbers), "utf-8")
        done = self.run("source", "inbox", self.folder, "--words-file", self.words)
        assert done.code == 0, done.err
        return done.out

    def fails(self, match: str, *words: str | Path) -> None:
        """A verb ends with one sentence."""
        done = self.run("source", *words)
        *_, sentence = [line for line in done.err.splitlines() if not line.startswith(" ")]
        assert done.code == 1
        assert re.search(match, sentence), done.err
        assert sentence.endswith(".")
        assert "Traceback" not in done.err

    def fails_to_write(self, match: str) -> None:
        """Writing ends with one sentence."""
        self.text.write_text(TEXT, "utf-8")
        self.words.write_text(" ".join(PHRASE.words()), "utf-8")
        self.fails(match, "write", self.folder, "--text-file", self.text, "--words-file", self.words, "--first")


def printed_words(out: str) -> list[str]:
    """The twelve words or numbers of `source begin`."""
    block = out.partition("in this order:\n")[2].partition("\nYour sign")[0]
    return re.findall(r"\d+ (\w+)", block)


@pytest.fixture
def device(org: Organisation, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    """A new computer."""
    world = make_world(org, tmp_path / "pool")
    routes = public_routes(
        world.pool, Editions(world.folder / "editions"), SignedFolder(org.server / "signed"), lambda: world.now
    )
    with contextlib.closing(world.pool), serving(Starlette(routes=routes), tmp_path / "s") as onion:
        for module in ("source", "source_road", "source_say"):
            monkeypatch.setattr(f"sottovoce.cli.{module}.now", lambda: world.now)
        for module in ("source", "source_road"):
            monkeypatch.setattr(f"sottovoce.cli.{module}.over_onion", lambda *_: contextlib.nullcontext(onion.fresh))
        yield Device(world, onion, run, tmp_path / "device", tmp_path / "text", tmp_path / "words")


# -- the story ---------------------------------------------------------------------


def test_begins_writes_is_answered_and_reads(device: Device) -> None:
    done = device.run("source", "begin", device.folder, f"http://{device.world.org.address}/")
    words = printed_words(done.out)
    assert NAME in done.out
    assert " ".join(check_words(device.world.org.org)) in done.out
    assert "Compare them" in done.out
    keys = SourceKeys(device.world.org.org, parse(" ".join(words)))
    assert f"Your sign: {' '.join(keys.sign)}." in done.out

    written = device.write()
    assert "Sent and stored, in 1 envelope. " in written
    assert "An answer can be seen from 12:00 UTC on" in written
    (message,) = device.world.read()
    assert message.body.text == TEXT
    assert " ".join(message.first.sign) in written

    assert "No whole answer is here. The next ones can be seen from 12:00 UTC on." in device.inbox()
    device.world.answer("Thank you.", n=1)
    device.world.answer(LONG, n=2, received=1, newest=TODAY)
    device.world.answer(LONG, TODAY - 1, without=[2])
    device.world.close()
    read = device.inbox()
    assert read.index("Who was paid twice?") < read.index("Thank you.")
    assert "An answer of 2027-01-14 whose parts are not all here yet: 4 of 5." in read
    assert "Of your messages 1 had arrived by then, the last on 2027-01-15." in read
    assert "here until 2027-02-14" in read


def test_a_long_message_goes_in_many_envelopes_each_on_its_own_circuit(device: Device) -> None:
    device.begin()
    assert "in 6 envelopes." in device.write("x" * 38_000)
    (message,) = device.world.read()
    assert message.body.text == "x" * 38_000
    assert [len(each) for each in device.onion.asked(b"POST")] == [1] * 6


def test_json_is_for_scripts(device: Device) -> None:
    device.begin()
    device.world.answer(HOSTILE)
    device.world.close()
    device.words.write_text("\n".join(PHRASE.words()), "utf-8")
    done = device.run("source", "inbox", device.folder, "--words-file", device.words, "--json")
    value = json.loads(done.out)
    assert [answer["text"] for answer in value["answers"]] == [HOSTILE]
    assert (value["received"], value["incomplete"], len(value["sign"])) == (1, [], 2)


def test_hostile_text_reaches_no_terminal(device: Device) -> None:
    device.begin()
    device.world.answer(HOSTILE)
    device.world.close()
    read = device.inbox()
    assert not set(read) & set("\x1b\x07\r\x9b\u202e\u2066\u200b")
    assert "[red]not ours[/red]" in read


def test_answers_beyond_one_visits_bound_are_all_read(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sottovoce.source.inbox.PAGE", 2)
    device.begin()
    for age in range(5):
        device.world.answer(f"answer {age}", TODAY - age)
    device.world.close()
    assert re.findall(r"answer \d", device.inbox()) == [f"answer {age}" for age in range(5)]


# -- words and check words ------------------------------------------------------------


def test_numbers_are_given_to_whom_no_list_fits(device: Device) -> None:
    numbers = device.begin("--numbers")
    assert all(re.fullmatch(r"\d{4}", number) for number in numbers)
    parse(" ".join(numbers))


def test_words_are_new_each_time_also_in_one_folder(device: Device) -> None:
    assert device.begin() != device.begin()


@pytest.mark.parametrize("form", ["{}", " {} ", "{},", "{}."])
def test_the_right_check_words_pass(device: Device, form: str) -> None:
    typed = " ".join(form.format(word).upper() for word in check_words(device.world.org.org))
    done = device.run("source", "begin", device.folder, device.world.org.address, "--check-words", typed)
    assert done.code == 0
    assert "Compare them" not in done.out


@pytest.mark.parametrize("kept", ["the first five", "another last one", "one too many", "none"])
def test_other_check_words_are_an_alarm_and_nothing_is_kept(device: Device, kept: str) -> None:
    words = check_words(device.world.org.org)
    last = "zoo" if words[5] != "zoo" else "zone"
    typed = {"the first five": words[:5], "another last one": (*words[:5], last), "one too many": (*words, last)}
    given = " ".join(typed.get(kept, ()))
    device.fails("ALARM: .*check words", "begin", device.folder, device.world.org.address, "--check-words", given)
    assert not (device.folder / "public").exists()


WRONG = [
    ("abandon " * 11, "There are 11 words"),
    ("abandon " * 11 + "nonsense", "Word 12 is not in the list"),
    ("abandon " * 12, "do not belong together"),
]


@pytest.mark.parametrize(("typed", "match"), WRONG)
def test_wrong_words_are_told_before_anything_is_asked(device: Device, typed: str, match: str) -> None:
    device.begin()
    device.onion.sent.clear()
    device.words.write_text(typed, "utf-8")
    device.text.write_text(TEXT, "utf-8")
    device.fails(match, "inbox", device.folder, "--words-file", device.words)
    device.fails(match, "write", device.folder, "--words-file", device.words, "--text-file", device.text)
    assert device.onion.sent == []


@pytest.mark.parametrize(("says", "code"), [("y", 0), ("n", 1), ("", 1)])
def test_a_person_sees_the_sign_of_the_typed_words_before_anything_is_sent(
    device: Device, monkeypatch: pytest.MonkeyPatch, says: str, code: int
) -> None:
    """One in sixteen mistyped phrases is valid: it would begin another conversation."""
    device.begin()
    asked = []

    def visible(text: str) -> str:
        asked.append(text)
        return says

    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _: " ".join(PHRASE.words()))
    monkeypatch.setattr("click.termui.visible_prompt_func", visible)
    device.text.write_text(TEXT, "utf-8")
    done = device.run("source", "write", device.folder, "--text-file", device.text, "--first")
    assert done.code == code
    assert len(device.world.read()) == (code == 0)
    assert len(asked) == 1
    printed = re.sub(r"The sign of the words: \w+ \w+", "", done.out + done.err)  # it is made of the same list
    assert not set(PHRASE.words()) & set(printed.split())


# -- receipts ---------------------------------------------------------------------------


def receipt_of(out: str) -> str:
    """The receipt that `source write` printed."""
    found = re.search(r"--receipt ([0-9a-f]+)", out)
    assert found
    return found[1]


def test_a_receipt_says_whether_the_message_appears(device: Device) -> None:
    device.begin()
    receipt = receipt_of(device.write(LONG))
    done = device.run("source", "inbox", device.folder, "--receipt", receipt)
    assert (done.code, "in no edition. It may wait for the one that closes at 12:00 UTC" in done.out) == (1, True)
    device.world.close()
    done = device.run("source", "inbox", device.folder, "--receipt", receipt)
    assert (done.code, done.out) == (
        0, "The whole message is there, unchanged, for everybody to download and for the desk to read.\n",
    )  # fmt: skip


def test_a_server_that_keeps_a_message_back_or_changes_it_is_told(device: Device) -> None:
    """It acknowledged, and then lost or changed what it had: the receipt shows it."""
    device.begin()
    receipt = receipt_of(device.write(LONG))
    truth = device.world.pool.put

    async def deny(epoch: int, tag: bytes, envelope: bytes) -> Reply:
        return replies[0] if replies[0].result is PutResult.STORED else await truth(epoch, tag, envelope)

    replies = [Reply(PutResult.STORED, TODAY, 12)]
    device.world.pool.put = deny  # type: ignore[method-assign]  # a server that lies
    lost = receipt_of(device.write("lost"))
    changed = receipt_of(device.write("changed"))
    del device.world.pool.put
    device.world.put(Receipt.read(changed).tags[0], bytes(8_192))
    device.world.close()
    for given, text in ((receipt, "The whole"), (lost, "in no edition"), (changed, "ALARM: Other bytes")):
        done = device.run("source", "inbox", device.folder, "--receipt", given)
        assert (done.code == 0) is (given == receipt)
        assert text in done.out


def test_what_is_no_receipt_is_told(device: Device) -> None:
    device.begin()
    device.fails("This is no receipt", "inbox", device.folder, "--receipt", "cafe")


# -- what goes wrong ----------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["", "example.org", "a" * 56 + ".onion", "http://x.onion/"])
def test_what_is_no_onion_is_told(device: Device, typed: str) -> None:
    device.fails("This is no onion address", "begin", device.folder, typed)
    assert not device.folder.exists()


def test_a_folder_with_other_things_is_left_alone(device: Device) -> None:
    device.folder.mkdir()
    (device.folder / "letters").touch()
    device.fails("choose a new folder", "begin", device.folder, device.world.org.address)


def test_a_folder_that_knows_another_onion_is_left_alone(device: Device) -> None:
    device.begin()
    (device.folder / "public" / "onion").write_text("x.onion", "ascii")
    device.fails("knows another onion", "begin", device.folder, device.world.org.address)


def test_a_folder_that_knows_nobody_is_told(device: Device) -> None:
    device.fails_to_write("knows no organisation: begin with")


def test_another_organisation_is_an_alarm_before_words_are_used(device: Device) -> None:
    device.begin()
    other = organisation("another")
    for kind in ("root", "card", "roster", "duty"):
        raw = SignedFolder(other.server / "signed").get(kind)
        if raw is not None:
            (device.folder / "public" / f"{kind}.signed").write_bytes(raw)
    device.fails_to_write("ALARM: This onion shows another organisation than the one")
    assert device.world.read() == []


def test_text_and_words_cannot_both_come_from_standard_input(device: Device) -> None:
    device.begin()
    device.fails("Only one can come from", "write", device.folder, "--text-file", "-", "--words-file", "-")


@pytest.mark.parametrize(("text", "match"), [(" \n", "is empty"), ("é" * 60_000, "9379 bytes too long")])
def test_a_text_that_cannot_be_sent_is_told(device: Device, text: str, match: str) -> None:
    device.begin()
    device.text.write_text(text, "utf-8")
    device.fails(match, "write", device.folder, "--text-file", device.text, "--words-file", device.words)


def test_no_duty_key_is_told_and_nothing_is_sent(device: Device) -> None:
    device.world.now += 8 * EPOCH_SECONDS
    assert "It takes no message today" in device.run("source", "begin", device.folder, device.world.org.address).out
    device.fails_to_write("takes no message today")
    assert device.onion.asked(b"POST") == []


def test_a_roster_that_is_over_is_told(device: Device) -> None:
    device.begin()
    device.world.now += 181 * EPOCH_SECONDS
    device.fails_to_write("roster held until 2027-07-14, and this device's clock says 2027-07-15")


@pytest.mark.parametrize("days", [2, 5])
def test_a_clock_that_is_off_is_told(device: Device, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    device.begin()
    for module in ("source", "source_road", "source_say"):
        monkeypatch.setattr(f"sottovoce.cli.{module}.now", lambda: device.world.now + days * EPOCH_SECONDS)
    device.fails_to_write(rf"server's day is 2027-01-15, this computer's is 2027-01-{15 + days}.*set the clock")
    assert device.world.read() == []


def test_a_full_server_is_told_with_the_hour_to_come_back(device: Device) -> None:
    device.begin()

    async def full(epoch: int, tag: bytes, envelope: bytes) -> Reply:
        return Reply(PutResult.FULL, TODAY, 18)

    device.world.pool.put = full  # type: ignore[method-assign]  # a full server
    device.fails_to_write("full, and the message does not count as sent: try at 18:00 UTC")


def test_a_broken_road_says_what_is_not_known(device: Device) -> None:
    device.begin()
    met = len(device.onion.sent) + 6
    device.onion.broken = lambda number: number >= met
    device.fails_to_write("Whether all of the message arrived is not known: send it again")


# -- what is kept and what is sent ------------------------------------------------------------


def secrets_of(org: Organisation, phrase: Passphrase) -> Secrets:
    """All that these words stand for."""
    known, keys = Secrets(), SourceKeys(org.org, phrase)
    known.words("words", phrase.words())
    known.words("numbers", phrase.numbers)
    known.words("plain numbers", [str(int(number)) for number in phrase.numbers])
    known.key("the words' bytes", phrase.secret)
    for name, raw in {
        "id": keys.id,
        "kem": keys.kem.seed,
        "public": keys.kem.public,
        "dh": keys.dh,
        "c": keys.c,
    }.items():
        known.key(name, raw)
    roster = SignedFolder(org.server / "signed").published(TODAY).roster
    for number, slot in enumerate(roster.slots):
        known.key("pair", keys.pair(number, slot.dh).tags)
        known.key("pair", keys.pair(number, slot.dh).macs)
        for tag in keys.pair(number, slot.dh).answer_tags(TODAY):
            known.key("a tag", tag)
    known.words("sign", [*keys.sign])
    known.text("text", TEXT)
    known.text("answer", "An answer for one only.")
    return known


def test_no_secret_is_kept_or_sent_in_any_form(device: Device) -> None:
    words = device.begin()
    known = secrets_of(device.world.org, PHRASE)
    new = secrets_of(device.world.org, parse(" ".join(words)))
    device.write()
    device.world.answer("An answer for one only.")
    device.world.answer(LONG, n=2)
    device.world.close()
    assert "An answer for one only." in device.inbox()
    sent = [(str(number), bytes(raw)) for number, raw in enumerate(device.onion.sent)]
    assert sum(len(raw) for _, raw in sent) > 8_192
    for each in (known, new):
        assert each.found([*sent, *in_files(device.folder)]) == set()
    assert {path.name for path in device.folder.iterdir()} <= {"tor", "public"}
    assert device.folder.stat().st_mode & 0o777 == 0o700


def test_the_search_finds_what_is_planted_on_the_road(device: Device) -> None:
    device.begin()
    known = secrets_of(device.world.org, PHRASE)
    with contextlib.suppress(Exception):
        device.onion.fresh().signed("+".join(PHRASE.words()))
    assert known.found([("road", bytes(device.onion.sent[-1]))]) == {("words", "road")}


def test_tors_control_is_not_asked_by_several_threads_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control connection takes one question at a time; parts that went out side by side once broke it."""
    caller = threading.get_ident()

    class OneThread:
        def __init__(self, *_: object) -> None:
            self.start = self.stop = lambda *_: None

        @property
        def socks_port(self) -> int:
            assert threading.get_ident() == caller
            return 9

    monkeypatch.setattr("sottovoce.cli.source_road.Tor", OneThread)
    with over_onion(tmp_path, None, "x.onion") as fresh, ThreadPoolExecutor(2) as threads:
        made = list(threads.map(lambda _: fresh(), range(4)))
    assert len(set(map(id, made))) == 4


def test_the_clock_of_the_tests_is_the_worlds(device: Device) -> None:
    assert epoch_of(device.world.now) == TODAY
    assert replace(device.world, now=0.0).today == 0


# -- notices -----------------------------------------------------------------------


@pytest.fixture
def show(org: Organisation) -> Iterator[Show]:
    """Lets the server show a member's notice: `show("absence", serial, day)`."""
    signed = SignedFolder(org.server / "signed")

    def shown(kind: Kind, serial: int, day: int | None) -> None:
        claim = notice_claim(signed.published(TODAY).roster, kind, serial, TODAY, day)
        signed.path(kind).write_bytes(claim.sign([org.signing]))

    yield shown
    for kind in KINDS:  # the organisation is that of other tests too
        signed.path(kind).unlink(missing_ok=True)


def test_8_15_while_a_compromise_holds_it_is_told_first_and_nothing_is_sent(device: Device, show: Show) -> None:
    device.begin()
    show("compromise", 1, TODAY - 1)
    device.fails_to_write("Nothing was sent, because of that warning: read answers")
    assert device.world.read() == []
    device.words.write_text(" ".join(PHRASE.words()), "utf-8")
    done = device.run("source", "inbox", device.folder, "--words-file", device.words)
    assert (done.code, "No whole answer is here" in done.out) == (0, True)
    first = done.err.splitlines()[0]
    assert re.match(r"WARNING: The organisation says that messages since \d{4}-\d\d-\d\d may be known", first)
    show("compromise", 2, None)
    assert "nobody reads" not in device.write()


def test_8_15_nobody_begins_while_a_compromise_holds(device: Device, show: Show) -> None:
    show("compromise", 1, TODAY)
    done = device.run("source", "begin", device.folder, device.world.org.address)
    assert done.code == 1
    assert done.err.splitlines()[0].startswith("WARNING: The organisation says")
    assert "in this order" not in done.out


def test_8_15_an_absence_is_told_after_writing(device: Device, show: Show) -> None:
    device.begin()
    show("absence", 1, TODAY + 3)
    (*_, last) = device.write().splitlines()
    assert re.match(r"The organisation says that nobody reads until \d{4}-\d\d-\d\d: your message waits", last)
