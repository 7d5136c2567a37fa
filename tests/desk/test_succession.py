"""A desk follows its organisation to a new root key, and is not led to another one's."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sottovoce.desk.join import welcome
from sottovoce.desk.trusted import Trusted
from sottovoce.trust.roster import UntrustedRoot, join_roots
from sottovoce.trust.signed import Claim

from .conftest import World


def successor(world: World, new: Ed25519PrivateKey, *signers: Ed25519PrivateKey) -> bytes:
    """The chain with one document more."""
    today, chain = world.clock.today, UntrustedRoot.of(world.office.root)
    public = new.public_key().public_bytes_raw()
    claim = Claim("root", world.office.org, chain.claim.serial + 1, today, today + 4_000, public)
    return join_roots([*(each.raw for each in chain.documents), claim.sign(signers)])


def hand_over(world: World) -> None:
    """The office's root key gets a successor, which signs roster and card anew; the server shows it all."""
    new = Ed25519PrivateKey.generate()
    world.office.root = successor(world, new, world.office.key, new)
    world.office.key = new
    slots = [[slot.dh, slot.signing, slot.label] for slot in Trusted(world.vault).roster.slots]
    card = ["Example", ["example.onion"], ["en"], [], 2, 1]
    world.road.things.update(
        {
            "root": world.office.root,
            "roster": world.office.sign("roster", 2, [1, slots]),
            "card": world.office.sign("card", 2, card),
        }
    )


def test_8_4_a_desk_follows_the_chain_and_its_older_rosters_stay_good(open_world: World) -> None:
    before = Trusted(open_world.vault).rosters
    hand_over(open_world)
    report = open_world.desk.sync(open_world.road)
    assert report.alarms == []
    assert report.duty_published, "the new roster needs a list of its own"
    open_world.restart()
    assert Trusted(open_world.vault).root.claim.serial == 2
    assert [each.hash for each in Trusted(open_world.vault).rosters[1:]] == [each.hash for each in before]
    assert open_world.desk.sync(open_world.road).alarms == []


def test_8_4_a_root_document_that_is_signed_by_nobodys_predecessor_is_an_alarm(open_world: World) -> None:
    stranger = Ed25519PrivateKey.generate()
    held = Trusted(open_world.vault).root.hash
    open_world.road.to_members["root"] = successor(open_world, stranger, stranger)
    report = open_world.desk.sync(open_world.road)
    assert len(report.alarms) == 1
    assert Trusted(open_world.vault).root.hash == held


def test_8_4_who_stole_the_old_root_key_leads_no_desk_away_that_saw_the_new_one(open_world: World) -> None:
    thief, stolen = Ed25519PrivateKey.generate(), open_world.office.key
    branch = successor(open_world, thief, stolen, thief)
    hand_over(open_world)
    assert open_world.desk.sync(open_world.road).alarms == []
    open_world.road.to_members["root"] = open_world.road.at_door["root"] = branch
    report = open_world.desk.sync(open_world.road)
    assert any("at once" in alarm for alarm in report.alarms)
    assert Trusted(open_world.vault).root.key == open_world.office.key.public_key().public_bytes_raw()


def test_8_14_a_welcome_brings_the_new_root_too(world: World) -> None:
    hand_over(world)
    access = world.office.sign("access", 2, ["members.onion", {3: world.request.client}])
    signed = {kind: world.road.things[kind] for kind in ("root", "roster", "card")}
    welcome(world.vault, signed | {"access": access}, world.clock.today)
    assert Trusted(world.vault).root.claim.serial == 2
    assert world.desk.sync(world.road).alarms == []
