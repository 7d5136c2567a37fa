"""Keys against what others published, and the files that tor reads."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from sottovoce.onion.errors import OnionError
from sottovoce.onion.keys import ClientKey, OnionKey, authorized_client, is_onion_address, onion_address

# The Tor Project's own onion, published on its site.
TOR_PROJECT = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"
# RFC 8032, section 7.1, test 1.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
# RFC 7748, section 6.1, Alice.
ALICE = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
ALICE_PUBLIC = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")


def test_published_address_comes_from_its_key() -> None:
    public = base64.b32decode(TOR_PROJECT[:56].upper())[:32]
    assert onion_address(public) == TOR_PROJECT


def test_seed_gives_the_published_public_key() -> None:
    key = OnionKey.from_seed(SEED)
    assert key.public == PUBLIC
    assert key.address == onion_address(PUBLIC)


def test_seed_of_another_length_is_refused() -> None:
    with pytest.raises(OnionError, match="exactly 32 bytes"):
        OnionKey.from_seed(SEED[:-1])


def test_address_with_any_flipped_letter_is_no_address() -> None:
    assert is_onion_address(TOR_PROJECT)
    for place in range(56):
        other = "b" if TOR_PROJECT[place] == "a" else "a"
        assert not is_onion_address(TOR_PROJECT[:place] + other + TOR_PROJECT[place + 1 :])


@pytest.mark.parametrize(
    "text",
    ["", ".onion", TOR_PROJECT[:-6], TOR_PROJECT[1:], "www." + TOR_PROJECT, "1" * 56 + ".onion", "ä" * 56 + ".onion"],
)
def test_what_is_no_address(text: str) -> None:
    assert not is_onion_address(text)


def test_address_in_capitals_as_in_a_qr_code_is_one() -> None:
    assert is_onion_address(TOR_PROJECT.upper())


def test_installed_files_are_private_and_in_tor_s_format(tmp_path: Path) -> None:
    folder = tmp_path / "onion"
    key = OnionKey.from_seed(SEED)
    key.install(folder)
    key.install(folder)  # a second time replaces
    files = {path.name: path for path in folder.iterdir()}
    assert set(files) == {"hs_ed25519_secret_key", "hs_ed25519_public_key", "hostname"}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    secret = files["hs_ed25519_secret_key"].read_bytes()
    assert secret[:32] == b"== ed25519v1-secret: type0 ==\0\0\0"
    assert len(secret) == 96
    assert secret[33:63] == hashlib.sha512(SEED).digest()[1:31]
    assert (secret[32] & 7, secret[63] >> 6) == (0, 1)
    assert files["hs_ed25519_public_key"].read_bytes()[32:] == PUBLIC
    assert files["hostname"].read_text() == key.address + "\n"


def test_client_key_is_the_published_one_in_all_forms() -> None:
    key = ClientKey(ALICE)
    assert key.public == ALICE_PUBLIC
    assert base64.b64decode(key.private_base64) == ALICE
    assert base64.b32decode(key.private_base32 + "====") == ALICE
    kind, curve, text = authorized_client(key.public).split(":")
    assert (kind, curve) == ("descriptor", "x25519")
    assert base64.b32decode(text + "====") == ALICE_PUBLIC


def test_secrets_do_not_show_in_repr() -> None:
    assert SEED.hex()[:8] not in repr(OnionKey.from_seed(SEED))
    assert repr(SEED) not in repr(OnionKey.from_seed(SEED))
    assert repr(ALICE) not in repr(ClientKey(ALICE))
