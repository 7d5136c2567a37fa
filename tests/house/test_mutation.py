"""Each named defence is taken out once in a copy of the program, and the test that promises it must then fail."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PROMISES, MESSAGE = "protocol/test_promises.py::test_", "protocol/test_message.py::test_"
ORDER, SIGNED = "trust/test_order.py::test_", "trust/test_signed.py::test_"
NOTICES = "trust/test_notices.py::test_"


class Defence(NamedTuple):
    """What is taken out: in a file, a text (there once), for another; and the test below tests/ that must fail."""

    file: str
    text: str
    without: str
    test: str


DEFENCES = {
    "the MAC at the desk": Defence(
        "protocol/message.py",
        "not hmac.compare_digest(expected, part.macs[MAC * slot : MAC * (slot + 1)])",
        "False",
        PROMISES + "7_2_5_a_member_cannot_alter_a_sources_message_for_a_colleague",
    ),
    "the MAC at the source": Defence(
        "protocol/answer.py",
        "not hmac.compare_digest(pair.mac(info, part.digest()), part.mac)",
        "False",
        PROMISES + "7_4_4_a_member_cannot_answer_in_a_colleagues_slot",
    ),
    "the MAC at the source, of a removed member": Defence(
        "protocol/answer.py",
        "not hmac.compare_digest(pair.mac(info, part.digest()), part.mac)",
        "False",
        PROMISES + "7_4_4_removed_members_are_not_heard_by_a_source",
    ),
    "the MAC at a removed member's desk": Defence(
        "protocol/message.py",
        "not hmac.compare_digest(expected, part.macs[MAC * slot : MAC * (slot + 1)])",
        "False",
        PROMISES + "7_2_5_removed_members_check_no_message_that_was_written_since",
    ),
    "an answer's place is the one it names": Defence(
        "protocol/answer.py",
        "(part.header.slot, part.header.n) != (place.slot, place.n)",
        "False",
        PROMISES + "7_4_3_an_answer_that_names_another_slot_than_its_place_is_refused",
    ),
    "a pairwise key is of one slot": Defence(
        "protocol/keys.py",
        "bytes([slot]) + member, 64)",
        "member, 64)",
        PROMISES + "4_1_a_pairwise_key_is_of_one_slot_only",
    ),
    "keys are of one organisation": Defence(
        "protocol/keys.py",
        "label + self.org",
        "label",
        PROMISES + "3_1_the_same_words_at_two_organisations_share_nothing",
    ),
    "pairwise keys are of one organisation": Defence(
        "protocol/keys.py",
        'b"sottovoce/v1/pair" + org +',
        'b"sottovoce/v1/pair" +',
        PROMISES + "4_1_not_even_the_same_keys_at_two_organisations_share_a_pairwise_key",
    ),
    "an envelope is bound to its tag": Defence(
        "protocol/sealing.py",
        'epoch.to_bytes(4, "big") + tag',
        'epoch.to_bytes(4, "big")',
        PROMISES + "5_6_an_envelope_that_was_moved_elsewhere_does_not_open",
    ),
    "an envelope is bound to its epoch": Defence(
        "protocol/sealing.py",
        'epoch.to_bytes(4, "big") + tag',
        "tag",
        PROMISES + "5_6_an_envelope_that_was_moved_elsewhere_does_not_open",
    ),
    "an envelope is bound to its organisation": Defence(
        "protocol/sealing.py",
        'b"sottovoce/v1/envelope" + org +',
        'b"sottovoce/v1/envelope" +',
        PROMISES + "5_6_what_one_organisation_was_sent_does_not_open_at_another_with_the_same_duty_key",
    ),
    "a MAC is bound to where it lies": Defence(
        "protocol/keys.py",
        "hmac.digest(self.macs, info + digest,",
        "hmac.digest(self.macs, digest,",
        PROMISES + "5_6_a_member_cannot_reseal_a_sources_message_for_a_colleague",
    ),
    "later parts are authenticated by the body hash": Defence(
        "protocol/message.py",
        "body_hash(body) != self.part.body_hash",
        "False",
        MESSAGE + "7_2_a_body_that_is_not_the_one_committed_to_is_refused",
    ),
    "an answer must be possible": Defence(
        "protocol/message.py",
        "check_kem(self.part.kem)",
        "...",
        MESSAGE + "7_2_a_source_to_whom_nobody_can_answer_is_refused_not_a_crash",
    ),
    "a key to answer to gives a secret": Defence(
        "protocol/keys.py",
        "_ANY.exchange(x25519)",
        "...",
        MESSAGE + "3_2_and_7_2_6_a_key_is_refused_exactly_where_sealing_to_it_is",
    ),
    "what follows a body is zero": Defence(
        "protocol/envelope.py",
        "rest[start + length :] != bytes(len(rest) - start - length)",
        "False",
        "protocol/test_bytes.py::test_5_1_anything_after_the_body_is_refused",
    ),
    "one form of CBOR": Defence(
        "protocol/cbor.py",
        "and encode(value) == data",
        "",
        "protocol/test_bytes.py::test_6_1_any_other_form_is_refused",
    ),
    "joining is bounded": Defence(
        "protocol/reassembly.py",
        "itertools.islice(_combinations(hashlib.sha256(first), candidates), TRIES)",
        "_combinations(hashlib.sha256(first), candidates)",
        "protocol/test_parts.py::test_7_5_the_last_combination_within_the_bound_is_found_and_the_next_is_not",
    ),
    "a mailbox item is signed by the colleague that it names": Defence(
        "protocol/mailbox.py",
        "signers[sender]).verify(signature, signed)",
        "signers[sender])",
        "protocol/test_mailbox.py::test_10_2_4_a_server_cannot_make_an_item",
    ),
    "the roster is signed": Defence(
        "trust/signed.py",
        "len(self.valid(signers)) < threshold",
        "False",
        ORDER + "8_3_1_to_8_3_7_the_first_check_that_is_broken_refuses",
    ),
    "the roster is signed by the root": Defence(
        "trust/signed.py",
        "if key in allowed and _signed",
        "if _signed",
        ORDER + "8_3_1_to_8_3_7_the_first_check_that_is_broken_refuses",
    ),
    "no older roster": Defence(
        "trust/signed.py",
        "self.claim.serial < least",
        "False",
        ORDER + "8_3_1_to_8_3_7_the_first_check_that_is_broken_refuses",
    ),
    "a root document is signed by the one before": Defence(
        "trust/roster.py",
        "after.check(org, [before.body, after.claim.body], 2,",
        "after.check(org, [after.claim.body], 1,",
        "trust/test_roots.py::test_8_4_a_successor_that_is_none_is_refused",
    ),
    "roots go on from the known one": Defence(
        "trust/roster.py",
        "not root.continues(held)",
        "False",
        "trust/test_roots.py::test_8_4_an_older_chain_and_another_branch_are_refused_by_who_saw_the_newer_one",
    ),
    "the root signs the roster, no former one": Defence(
        "trust/roster.py",
        "root.org, root.key, root.keys, root.hashes = hashes[0], keys[-1], keys, hashes",
        "root.org, root.key, root.keys, root.hashes = hashes[0], keys[0], keys, hashes",
        "trust/test_roots.py::test_8_4_who_has_the_first_document_follows_the_chain",
    ),
    "a duty list is of one roster": Defence(
        "trust/duty.py",
        "roster_hash != roster.hash",
        "False",
        SIGNED + "8_6_a_duty_list_of_another_roster_is_refused",
    ),
    "a card names the least root": Defence(
        "trust/card.py",
        "root.claim.serial < card.least_root",
        "False",
        SIGNED + "8_7_a_card_that_asks_for_a_newer_root_is_refused",
    ),
    "a transport key is signed by its slot's device": Defence(
        "trust/transport.py",
        "[roster.slots[slot].signing]",
        "[each.signing for each in roster.slots]",
        "trust/test_team.py::test_8_12_a_member_makes_no_transport_key_for_a_colleague",
    ),
    "a removed member's signature does not count": Defence(
        "trust/signed.py",
        "if key in allowed and _signed",
        "if _signed",
        "trust/test_team.py::test_8_11_a_removed_members_signature_completes_no_draft",
    ),
    "a notice is signed by a device of the roster": Defence(
        "trust/notice.py",
        "[slot.signing for slot in roster.slots], 1,",
        "[slot.signing for slot in roster.slots], 0,",
        NOTICES + "8_15_nobody_else_signs_a_notice",
    ),
    "a notice says a day and nothing else": Defence(
        "trust/notice.py",
        "issued <= day <= expires if absent else 0 < day <= issued",
        "True",
        NOTICES + "8_15_a_notice_says_one_day_and_nothing_else",
    ),
    "a withdrawn notice stays withdrawn": Defence(
        "trust/team.py",
        'serial:\n            raise Refused("roster", f"The notice',
        'serial and False:\n            raise Refused("roster", f"The notice',
        NOTICES + "8_15_a_withdrawn_notice_can_not_be_brought_back",
    ),
    "a desk misses a notice that the door hides": Defence(
        "desk/compare.py",
        "elif shown is not None or held.says(self._today) is not None:",
        "elif False:",
        "desk/test_notices.py::test_9_12_each_sync_and_each_comparison_misses_a_hidden_notice",
    ),
    "a device goes on believing a notice that it saw": Defence(
        "source/known.py",
        "for each in (self._raw(kind), raw))",
        "for each in (raw,))",
        "source/test_known.py::test_8_15_a_device_keeps_notices_and_a_server_that_hides_one_gains_nothing",
    ),
    "no number of a signed thing stops a database": Defence(
        "trust/signed.py",
        "not 0 <= claim.serial <= SERIAL_MOST",
        "False",
        ORDER + "8_3_1_a_number_that_would_stop_a_desks_database_is_refused",
    ),
    "a desk remembers the ids of messages": Defence(
        "desk/letters.py",
        "name = first.part, (first.conversation, TO_DESK, first.message_id)",
        'name = first.part, (first.conversation, TO_DESK, __import__("os").urandom(16))',
        "desk/test_sync.py::test_a_replay_in_a_new_envelope_is_not_shown_again",
    ),
    "a desk hears the devices of the newest roster only": Defence(
        "protocol/mailbox.py",
        "signers[sender]).verify(signature, signed)",
        "signers[sender])",
        "desk/test_team.py::test_a_removed_device_is_not_heard",
    ),
    "a duty key's time ends": Defence(
        "desk/seeds.py",
        "DELETE FROM {table} WHERE epoch <= ?",
        "DELETE FROM {table} WHERE epoch < 0 * ?",
        "desk/test_duty.py::test_10_6_a_key_is_destroyed_once_the_editions_of_the_day_after_are_stored",
    ),
    "a duty key is not destroyed by the clock alone": Defence(
        "desk/team.py",
        "self._today < epoch + 2 or not any(each.number >= last for each in listed)",
        "self._today < epoch + 2",
        "desk/test_duty.py::test_10_6_never_by_its_clock_alone",
    ),
    "a duty key is not destroyed before its editions are stored": Defence(
        "desk/team.py",
        "stored.get(each.number) == each.hash for each in listed",
        "True for each in listed",
        "desk/test_duty.py::test_10_6_not_while_an_edition_is_not_stored",
    ),
    "an edition is the listed one to its last byte": Defence(
        "pool/edition.py",
        "stream.rest() or stream.hashed.digest() != listed.hash",
        "stream.rest()",
        "pool/test_edition.py::test_attack_one_flipped_bit_is_found",
    ),
}


ALL = "all defences are there"


def copied(folder: Path, defence: Defence | None) -> Path:
    """A copy of the program in this folder, without the defence; `status` says so when the defence is not there."""
    shutil.copytree(
        ROOT / "src/sottovoce", folder / "sottovoce", ignore=shutil.ignore_patterns("__pycache__", "example")
    )
    if defence:
        file = folder / "sottovoce" / defence.file
        text = file.read_text("utf-8")
        if text.count(defence.text) != 1:
            (folder / "status").write_text("not there")
            (folder / "said").write_text(f"{defence.file} has changed: name its defence anew in this test.")
        file.write_text(text.replace(defence.text, defence.without), "utf-8")
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each copy of the program, with what its tests said."""
    made = {name: copied(tmp_path_factory.mktemp("copy"), DEFENCES.get(name)) for name in (ALL, *DEFENCES)}
    every = list(dict.fromkeys(f"tests/{defence.test}" for defence in DEFENCES.values()))
    tests = {ALL: every} | {name: [f"tests/{defence.test}"] for name, defence in DEFENCES.items()}
    jobs = [[str(folder), *tests[name]] for name, folder in made.items() if not (folder / "status").exists()]
    command = [sys.executable, str(Path(__file__).with_name("mutants.py"))]
    lines = "".join(json.dumps(job) + "\n" for job in jobs)
    subprocess.run(command, cwd=ROOT, input=lines, text=True, check=True, timeout=300)
    return made


def outcome(folder: Path) -> tuple[str, str]:
    """Exit status and words of the tests of one copy."""
    return (folder / "status").read_text("utf-8"), (folder / "said").read_text("utf-8")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", DEFENCES)
def test_without_a_defence_its_test_fails(folders: dict[str, Path], name: str) -> None:
    status, said = outcome(folders[name])
    assert status == "1", said
    assert "\n1 failed" in said, said


@pytest.mark.timeout(300)
def test_with_all_defences_these_tests_pass(folders: dict[str, Path]) -> None:
    status, said = outcome(folders[ALL])
    assert status == "0", said
