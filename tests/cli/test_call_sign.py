"""A call by its verbs: from a reviewer's file and the office's signatures to what a server holds."""

from __future__ import annotations

import datetime
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli.conftest import PASSPHRASE, Done, House, Run
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from doubles.signed_call import CALL, write_call

from sottovoce.cli.common import today
from sottovoce.door.pack import hash_of, pack_of
from sottovoce.outreach.call import Call, read_call
from sottovoce.outreach.proof.c2pa import KEY, Signer, authority_of
from sottovoce.outreach.steps import Builder, Step
from sottovoce.trust.office import Office
from sottovoce.trust.published import SignedFolder
from sottovoce.trust.reviews import Review, sign_advice
from sottovoce.trust.reviews import approve as approve_pack

FILM = "https://www.youtube.com/watch?v=a1B2c3D4_-5"


@dataclass(frozen=True)
class Own:
    """An office with accounts on its card, its server, and a call of it with one built file."""

    house: House
    call: Path

    def sign(self, run: Run) -> Done:
        """`call sign`."""
        return run("call", "sign", self.call, self.house.office, *self.house.secret)


@pytest.fixture
def own(run: Run, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Own:
    monkeypatch.setattr("sottovoce.cli.call_sign.all_steps", lambda call, *_: [film(call)])  # real ones take a minute
    shutil.copytree(house.folder, tmp_path / "house")
    made = House(tmp_path / "house")
    accounts = ("https://www.youtube.com/@harbourcity", "https://t.me/harbourcity")
    assert run("org", "accounts", made.office, *accounts, *made.secret).code == 0
    folder = write_call(tmp_path / "call", made.office)
    until = datetime.date(1970, 1, 1) + datetime.timedelta(today() + 90)
    (folder / "call.toml").write_text(re.sub(r"until = .*", f"until = {until}", CALL), "utf-8")
    call = read_call(folder, today())
    Builder(call.built).build([film(call)], lambda _: None)
    return Own(made, folder)


def film(call: Call) -> Step:
    """One film, which shows what is on the card."""

    def make(fresh: Path) -> None:
        (fresh / "1-1 ledger.mp4").write_bytes(b"a film")

    output = call.built / "upload/youtube/en/1-1 ledger.mp4"
    return Step("films", (output,), (), " ".join(call.card.accounts), make)


def reviewed(run: Run, own: Own, file: Path) -> str:
    """The six words at the top of a new review."""
    done = run("call", "review", "en", own.call, "--out", file)
    assert (done.code, done.err) == (0, "")
    found = re.search(r'<strong class="words">([a-z ]+)</strong>', file.read_text("utf-8"))
    assert found is not None
    assert found[1] in done.out
    return found[1]


def approve(run: Run, own: Own, words: str) -> Done:
    """English is signed off, or not."""
    given = ("--reviewer", "Darya of the clinic", "--hash", words, *own.house.secret)
    return run("call", "approve", "en", own.call, own.house.office, *given)


def test_a_call_goes_from_its_reviewer_to_the_server(run: Run, own: Own, tmp_path: Path) -> None:
    assert own.sign(run).err.startswith("Nobody signed off what the call says in en")
    words = reviewed(run, own, tmp_path / "review.html")
    assert approve(run, own, words.upper()).code == 0
    assert not read_call(own.call, today()).draft("en")
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"Darya" in path.read_bytes()]
    done = own.sign(run)
    assert (done.code, done.err) == (0, "")
    assert "1 files of harbour are signed" in done.out
    assert run("org", "publish", own.house.office, own.house.server).code == 0
    server = SignedFolder(own.house.server / "signed")
    listed = server.call_list("harbour")
    assert listed is not None
    assert [each.path for each in listed.files] == ["upload/youtube/en/1-1 ledger.mp4"]
    assert SignedFolder(own.call / "signed").call_list("harbour") == listed
    assert server.calls()["harbour"].hash.hex() in done.out
    assert run("call", "withdraw", "harbour", own.house.office, *own.house.secret).code == 0
    assert run("org", "publish", own.house.office, own.house.server).code == 0
    assert (server.calls(), server.call_list("harbour")) == ({}, None)


def test_what_another_reviewer_saw_is_not_signed_off(run: Run, own: Own, tmp_path: Path) -> None:
    words = reviewed(run, own, tmp_path / "review.html")
    captions = own.call / "videos/ledger/captions/en.srt"
    captions.write_text(captions.read_text("utf-8").replace("never", "always"), "utf-8")
    for given in (words, "", "abandon " * 6):
        done = approve(run, own, given)
        assert (done.code, done.out) == (1, "")
        assert done.err == "These are not the check words of the call's texts of now: have exactly these reviewed.\n"
    assert read_call(own.call, today()).draft("en")
    done = run("call", "review", "en", own.call, "--out", tmp_path / "review.html")
    assert done.err.endswith("exists already: choose another name.\n")
    done = run("call", "review", "fa", own.call, "--out", tmp_path / "other.html")
    assert done.err == "This call has no texts in fa: it has en.\n"


def test_what_was_built_from_other_texts_is_not_signed(
    run: Run, own: Own, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a list of films with DRAFT across them would be signed, once their texts are."""
    draft = Step("films", (own.call / "build/upload/youtube/en/1-1 ledger.mp4",), (), "with DRAFT", lambda _: None)
    monkeypatch.setattr("sottovoce.cli.call_sign.all_steps", lambda *_: [draft])
    assert approve(run, own, reviewed(run, own, tmp_path / "review.html")).code == 0
    done = own.sign(run)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("What is built is not what the call is now: run `sottovoce call build")
    assert SignedFolder(own.house.office / "signed").calls() == {}


def test_a_path_that_looks_like_one_persons_is_not_signed(run: Run, own: Own, tmp_path: Path) -> None:
    file = own.call / "call.toml"
    file.write_text(file.read_text("utf-8").replace('"harbour"', '"qzvwkx-harbour"'), "utf-8")
    assert approve(run, own, reviewed(run, own, tmp_path / "review.html")).code == 0
    done = own.sign(run)
    assert (done.code, done.out) == (1, "")
    assert "as one that was made for one person" in done.err
    assert SignedFolder(own.house.office / "signed").calls() == {}


def test_a_call_gets_a_certificate_whose_key_git_leaves_out(run: Run, own: Own, tmp_path: Path) -> None:
    done = run("call", "certificate", own.house.office, own.call, *own.house.secret)
    assert (done.code, done.err) == (0, "")
    assert Signer.of(own.call, today()).key.startswith("-----BEGIN PRIVATE KEY-----")
    assert (own.call / KEY).stat().st_mode & 0o777 == 0o600
    subprocess.run(["git", "init", "-q", own.call], check=True, timeout=60)
    seen = ["git", "status", "--porcelain", "--untracked-files=all"]
    shown = subprocess.run(seen, cwd=own.call, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "signed/provenance.pem" in shown
    assert "secret" not in shown
    assert approve(run, own, reviewed(run, own, tmp_path / "review.html")).code == 0
    assert own.sign(run).code == 0
    listed = SignedFolder(own.call / "signed").call_list("harbour")
    assert listed is not None
    assert listed.anchors == [authority_of(own.call)]


def test_what_was_built_under_an_older_card_is_not_signed_and_the_new_one_is_brought(
    run: Run, own: Own, tmp_path: Path
) -> None:
    assert approve(run, own, reviewed(run, own, tmp_path / "review.html")).code == 0
    assert own.sign(run).code == 0
    assert run("org", "accounts", own.house.office, "https://t.me/harbourcity2", *own.house.secret).code == 0
    assert own.sign(run).err.startswith("What is built is not what the call is now")
    assert read_call(own.call, today()).card.accounts == ["https://t.me/harbourcity2"]


def test_guides_and_advice_that_the_office_signed_come_to_the_call(run: Run, own: Own, tmp_path: Path) -> None:
    office, pack = Office.open(own.house.office, PASSPHRASE), pack_of("ko")
    approve_pack(office, PASSPHRASE, pack, Review("ko", today(), hash_of(pack), "A reader"), bytes)
    sign_advice(office, today(), {"en": "Ask for a bridge."}, today())
    there = SignedFolder(own.call / "signed")
    assert (there.pack("ko"), there.get("advice")) == (None, None)
    assert approve(run, own, reviewed(run, own, tmp_path / "review.html")).code == 0
    own.sign(run)
    assert there.pack("ko") == pack
    assert there.get("advice") == office.signed.get("advice") is not None


def test_a_file_that_was_not_built_is_not_signed(run: Run, own: Own, tmp_path: Path) -> None:
    assert approve(run, own, reviewed(run, own, tmp_path / "review.html")).code == 0
    (own.call / "build/leaflets").mkdir()
    (own.call / "build/leaflets/en-a6.html").write_text("somebody's", "utf-8")
    done = own.sign(run)
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith("en-a6.html was not built by this program: look at it, and take it away.\n")
    assert SignedFolder(own.house.office / "signed").calls() == {}


def test_what_somebody_wrote_into_published_toml_is_not_signed(run: Run, own: Own, tmp_path: Path) -> None:
    assert approve(run, own, reviewed(run, own, tmp_path / "review.html")).code == 0
    planted = f'[[ours]]\naddress = "http://{"a" * 56}.onion/"\naccount = "https://t.me/harbourcity"\non = 2026-11-20\n'
    (own.call / "published.toml").write_text(planted, "utf-8")
    assert "is no whole plain address" in own.sign(run).err


def test_the_certificate_of_another_office_is_not_signed(run: Run, own: Own, house: House, tmp_path: Path) -> None:
    assert run("call", "certificate", own.house.office, own.call, *own.house.secret).code == 0
    assert approve(run, own, reviewed(run, own, tmp_path / "review.html")).code == 0
    chain = own.call / "signed/provenance.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Somebody")])
    begins = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, begins, begins + datetime.timedelta(4_000))
    strange = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    chain.write_bytes(chain.read_bytes() + strange)
    assert "certificate is not this office's" in own.sign(run).err


def test_which_film_it_is_must_be_said_where_there_are_several(run: Run, own: Own) -> None:
    file = own.call / "call.toml"
    file.write_text(file.read_text("utf-8").replace('videos = ["ledger"]', 'videos = ["ledger", "quay"]'), "utf-8")
    shutil.copytree(own.call / "videos/ledger", own.call / "videos/quay")
    done = run("call", "published", own.call, FILM)
    assert done.err == "Say which film it is: give --video and one of ledger, quay.\n"
    assert run("call", "published", own.call, FILM, "--video", "quay").code == 0


def test_a_wrong_office_is_told_before_a_new_call_is_begun(run: Run, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    done = run("call", "new", tmp_path / "call", "--office", tmp_path / "other")
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith("holds no signed card: name the folder of an office, and sign its card first.\n")
    assert not (tmp_path / "call").exists()


def test_only_accounts_of_the_card_are_taken(run: Run, own: Own) -> None:
    assert run("call", "published", own.call).out == "Nothing is recorded yet.\n"
    done = run("call", "published", own.call, FILM, "--video", "ledger", "--language", "en")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(f"{FILM}  ledger en\n")
    for address, said in [
        ("https://t.me/harbourcit/17", "only looks like it"),
        ("https://vimeo.com/123456", "No account on vimeo.com"),
        ("https://youtu.be/a1B2c3D", "seems truncated"),
    ]:
        refused = run("call", "published", own.call, address)
        assert (refused.code, refused.out) == (1, "")
        assert said in refused.err
    assert (
        run("call", "published", own.call, FILM, "--video", "bridge").err
        == "This call has no film bridge: it has ledger.\n"
    )
    assert run("call", "published", own.call, "https://t.me/harb0urcity", "--not-ours").code == 0
    assert run("call", "published", own.call).out == done.out + "not ours    https://t.me/harb0urcity\n"


def test_no_verb_of_a_call_ends_in_a_traceback_where_there_is_no_call(run: Run, own: Own, tmp_path: Path) -> None:
    empty, office, secret = tmp_path / "empty", own.house.office, own.house.secret
    empty.mkdir()
    verbs: list[tuple[str | Path, ...]] = [
        ("review", "en", empty, "--out", tmp_path / "x.html"),
        ("approve", "en", empty, office, "--reviewer", "D", "--hash", "a", *secret),
        ("sign", empty, office, *secret),
        ("withdraw", "harbour", office, *secret),
        ("published", empty),
        ("certificate", office, empty, *secret),
    ]
    for verb in verbs:
        done = run("call", *verb)
        assert (done.code, done.out) == (1, "")
        assert done.err.count("\n") == 1
        assert done.err.endswith(".\n")
