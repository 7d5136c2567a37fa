"""The office: locked secrets, admitting devices, and its backup."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from doubles.organisation import PASSPHRASE, Organisation
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.trust import locked
from sottovoce.trust.join import JoinRequest
from sottovoce.trust.locked import WrongPassphrase, lock, unlock
from sottovoce.trust.office import Office, restore

TODAY = 20_000


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    return Organisation(tmp_path_factory.mktemp("organisation"), TODAY)


def _request(org: bytes, root: bytes | None = None) -> tuple[JoinRequest, Ed25519PrivateKey]:
    device = Ed25519PrivateKey.generate()
    public = device.public_key().public_bytes_raw()
    return JoinRequest(org, root or org, secrets.token_bytes(32), public, secrets.token_bytes(32)), device


def test_8_10_what_is_locked_opens_with_its_passphrase_only() -> None:
    raw = lock(b"secret", "six random words are enough", secrets.token_bytes)
    assert b"secret" not in raw
    assert unlock(raw, "six random words are enough") == b"secret"
    with pytest.raises(WrongPassphrase):
        unlock(raw, "six random words are not enough")


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=200))
def test_8_10_a_damaged_locked_file_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        unlock(raw, "anything")


def test_8_10_a_hostile_locked_file_asks_for_no_more_memory_than_ours() -> None:
    raw = cbor.encode([bytes(16), locked.PASSES, 4, 1 << 30, bytes(12), bytes(32)])
    with pytest.raises(Refused, match="more work"):
        unlock(raw, "anything")


def test_8_9_a_request_that_was_exchanged_on_its_way_has_other_check_words() -> None:
    request, device = _request(bytes(32))
    again = JoinRequest.read(request.sign(device))
    assert again == request
    assert again.check_words != _request(bytes(32))[0].check_words


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_8_9_a_flipped_bit_in_a_request_is_refused(data: st.DataObject) -> None:
    request, device = _request(bytes(32))
    raw = bytearray(request.sign(device))
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Refused):
        JoinRequest.read(bytes(raw))


def test_8_9_a_key_of_low_order_would_silence_all_sources_and_is_refused() -> None:
    request, device = _request(bytes(32))
    with pytest.raises(Refused):
        JoinRequest.read(replace(request, dh=bytes(32)).sign(device))


def test_a_device_of_another_organisation_is_not_admitted(organisation: Organisation) -> None:
    request, _ = _request(bytes(32))
    with pytest.raises(Refused, match="another organisation"):
        organisation.office.admit(request, "m2", "x.onion", secrets.token_bytes, TODAY)


def test_a_second_device_gets_the_next_slot_and_all_16_slots_look_alike(tmp_path: Path) -> None:
    organisation = Organisation(tmp_path, TODAY)
    request, _ = _request(organisation.org)
    assert organisation.slot == 0
    assert organisation.office.admit(request, "m2", "x.onion", secrets.token_bytes, TODAY) == 1
    with pytest.raises(Refused, match="already"):
        organisation.office.admit(request, "m2", "x.onion", secrets.token_bytes, TODAY)
    access = organisation.office.signed.access(TODAY)
    assert sorted(access.clients) == [0, 1]


def test_a_backup_makes_the_same_office_elsewhere(organisation: Organisation, tmp_path: Path) -> None:
    raw = organisation.office.backup(PASSPHRASE, secrets.token_bytes)
    with pytest.raises(WrongPassphrase):
        restore(raw, "another passphrase", tmp_path / "office")
    assert not (tmp_path / "office").exists()
    again = restore(raw, PASSPHRASE, tmp_path / "office")
    assert again.secrets == organisation.office.secrets
    assert again.root(TODAY).org == organisation.org
    with pytest.raises(Refused, match="not empty"):
        restore(raw, PASSPHRASE, tmp_path / "office")


def test_no_secret_of_the_office_lies_open_in_its_folder_or_the_servers(organisation: Organisation) -> None:
    seeds = organisation.office.secrets
    for path in organisation.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(seed in content for seed in (seeds.root, seeds.door, seeds.members)), path
            assert path.stat().st_mode & 0o077 == 0, path


def test_an_office_that_is_none_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="holds no office"):
        Office.open(tmp_path, PASSPHRASE)
