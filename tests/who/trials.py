"""The rows: for each a trial that really tries with what a holder has, and says what it found as a set of marks."""

from __future__ import annotations

import functools
import random
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, pairwise

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from who.case import Case
from who.holders import Holder, Sealed, puts_in
from who.story import ADDRESSES, NAMED, Letter
from who.wire import CIRCUITS, DOOR, Passed

from sottovoce.pool.edition import MULTIPLE, padded
from sottovoce.protocol.envelope import SourcePart
from sottovoce.protocol.keys import PairKey, member_pair
from sottovoce.protocol.sizes import EDITION_SECONDS, ENVELOPE, QUARTERS
from sottovoce.trust.duty import UntrustedDutyList
from sottovoce.trust.roster import removed

Marks = frozenset[str]
Trial = Callable[[Holder, Case], Marks]
SIGMAS = 6.5  # what chance does once in a hundred thousand runs, over all bits of an envelope
_PLACES = (3_000, 4_000, 5_000)  # in an envelope: one of them lies on no page's edge
_TOGETHER = 0.5  # seconds between two posts that a guesser takes for one message


def _kind(holder: Holder, letter: Letter) -> str:
    """The kind of letters to which a letter belongs, as the column's cell distinguishes them."""
    if holder.name == "live" and letter.way == "Dora":
        return "device client"
    if holder.name == "live":
        return "door: answers" if not letter.sent else f"door: sent {'before' if letter.act == 0 else 'from then on'}"
    if holder.name == "words" and not letter.sent:
        return "answers of the last month" if letter.act == 4 else "older answers"
    if holder.name == "chen" and letter.sent:
        return f"sent {'until' if letter.act < 2 else 'after'} removal"
    if holder.slot is not None and not letter.sent:
        return "own answers" if letter.slot == holder.slot else "colleagues' answers"
    return "sent" if letter.sent else "answers"


def _all_or_none(of: Mapping[str, Iterable[bool]]) -> Marks:
    """The kinds of which all were found; of each kind all must be, or none: else no cell can say it."""
    every = {kind: set(found) for kind, found in of.items()}
    assert all(len(found) == 1 for found in every.values()), every
    return frozenset(kind for kind, found in every.items() if found == {True})


def words(holder: Holder, case: Case) -> Marks:
    """Whose text can they read?"""
    read, kinds = set(case.read(holder)), defaultdict[str, list[bool]](list)
    for letter in case.story.letters:
        kinds[_kind(holder, letter)].append(letter in read)
    return _all_or_none(kinds)


# -- which envelopes belong together --------------------------------------------------------------


def together(holder: Holder, case: Case) -> Marks:
    """Can they tell that two envelopes are of one conversation, or of one message?"""
    marks = set(_by_keys(holder, case)) | set(_by_circuits(holder, case))
    if _repeats(holder.envelopes):
        marks.add("equal bytes")
    for kind, tags in _orders(holder):
        if _nearness(tuple(case.message.get(tag) for tag in tags)) > SIGMAS:
            marks.add(f"{kind}: its order")
    return frozenset(marks)


def _by_keys(holder: Holder, case: Case) -> Iterable[str]:
    opened, stored = case.open(holder), b"".join(raw for name, raw in holder.things if name.startswith("vault: "))
    sent = [tag for tag, to_desk in case.to_desk.items() if to_desk]
    linked = {tag for tag in sent if tag in opened or tag in stored}
    kinds = defaultdict[str, list[bool]](list)
    for tag in sent:
        kinds[_kind(holder, case.letter[tag]) if holder.name == "chen" else "sent"].append(tag in linked)
    yield from _all_or_none(kinds)
    answers = _tags(holder, case)
    ours = {tag for tag, to_desk in case.to_desk.items() if not to_desk and tag in answers}
    if ours:
        yield "own answers" if holder.slot is not None else "answers"


def _tags(holder: Holder, case: Case) -> set[bytes]:
    """All tags of answers that they can reckon: a source's from its words, a member's from the device key."""
    first = min(letter.edition for letter in case.story.letters) // QUARTERS
    days = range(first - 1, max(letter.edition for letter in case.story.letters) // QUARTERS + 2)
    tags = {tag for pair in _pairs(holder, case) for epoch in days for tag in pair.answer_tags(epoch)}
    known = {sealed.tag for sealed in holder.envelopes}
    later = {pair.part_tag(tag, part) for pair in _pairs(holder, case) for tag in tags & known for part in range(1, 16)}
    return tags | later


def _pairs(holder: Holder, case: Case) -> list[PairKey]:
    found, pairs = case.found(holder), []
    for source in case.story.phrases:
        keys = case.story.keys(source)
        if f"words of {source}" in found:
            pairs += [keys.pair(slot, each.dh) for roster in case.rosters() for slot, each in enumerate(roster.slots)]
        for name in ("anna", "ben", "chen"):
            knows = any(keys.c in raw and keys.dh in raw for _, raw in holder.things)
            if f"dh key of {name}" in found and knows and holder.slot is not None:
                device = X25519PrivateKey.from_private_bytes(case.story.secrets[f"dh key of {name}"])
                pairs.append(member_pair(device, keys.dh, keys.c, case.org, holder.slot))
    return pairs


def _by_circuits(holder: Holder, case: Case) -> Iterable[str]:
    posts = defaultdict[int, list[bytes]](list)
    for passed in holder.passed:
        posts[passed.circuit] += [put.tag for put in puts_in(passed)]
    if any(len({case.conversation.get(tag) for tag in tags}) < len(tags) for tags in posts.values() if len(tags) > 1):
        yield "device client: a circuit"
    for burst in _bursts(holder.passed):
        of = {case.message.get(put.tag) for put in burst}
        if len(burst) > 1 and len(of) == 1 and None not in of and case.to_desk[burst[0].tag]:
            yield "device client: timing"
    if any(b"POST /en/write" in each.sent for each in holder.passed) and "words of Alma" in case.found(holder):
        yield "door: a visit"


def _bursts(passed: Sequence[Passed]) -> list[list[Sealed]]:
    """Envelopes that came by the API, as a guesser cuts them into messages by the time between them."""
    bursts: list[list[Sealed]] = []
    ended = 0.0
    for each in passed:
        for put in puts_in(each):
            if each.at - ended > _TOGETHER or not bursts:
                bursts.append([])
            bursts[-1].append(put)
            ended = each.at
    return bursts


@functools.cache
def _repeats(envelopes: tuple[Sealed, ...]) -> bool:
    """Whether two envelopes have eight bytes in common, each at an eighth place: fields would lie at such."""
    blocks = [each.envelope[at : at + 8] for each in set(envelopes) for at in range(0, ENVELOPE, 8)]
    return len(set(blocks)) < len(blocks)


def _orders(holder: Holder) -> Iterable[tuple[str, list[bytes]]]:
    """Tags in the order in which their envelopes lie in an edition, and in files of what is pending."""
    editions = defaultdict[int | None, list[bytes]](list)
    for each in holder.envelopes:
        editions[each.edition].append(each.tag)
    yield from (("edition", tags) for tags in editions.values())
    for name, raw in holder.things:
        if "pending/" in name:
            places = {each.tag: max(raw.find(each.envelope[at : at + 24]) for at in _PLACES) for each in holder.pending}
            yield "pending", [tag for place, tag in sorted((at, tag) for tag, at in places.items()) if place >= 0]


@functools.cache
def _nearness(labels: tuple[bytes | None, ...]) -> float:
    """How many spreads nearer to one another things of one label lie than in a shuffled order."""
    places = defaultdict[object, list[int]](list)
    for place, label in enumerate(labels):
        if label is not None:
            places[label].append(place)
    groups = [group for group in places.values() if len(group) > 1]
    if not groups:
        return 0.0
    dice, order = random.Random(0), list(range(len(labels)))  # noqa: S311  # the same each time
    shuffled = []
    for _ in range(100):
        dice.shuffle(order)
        shuffled.append(_spread([[order[place] for place in group] for group in groups]))
    return (statistics.mean(shuffled) - _spread(groups)) / (statistics.stdev(shuffled) or 1.0)


def _spread(groups: Iterable[Sequence[int]]) -> float:
    return statistics.mean(abs(one - other) for group in groups for one, other in combinations(group, 2))


# -- to the desk or to a source -----------------------------------------------------------------


def direction(holder: Holder, case: Case) -> Marks:
    """Can they tell messages from answers?"""
    marks, own = set(), set(_by_keys(holder, case))
    if {"sent", "sent until removal"} & own:
        marks.add("messages by opening")
    if {"answers", "own answers"} & own:
        marks.add("answers by their tags")
    if _difference(_going(holder, case, {True}), _going(holder, case, {False})) > SIGMAS:
        marks.add("statistic")
    if any(b"POST /en/write" in each.sent for each in holder.passed):
        marks.add("door posts")
    if _guessed(holder, case):
        marks.add("timing")
    return frozenset(marks)


def _going(holder: Holder, case: Case, ways: set[bool | None]) -> tuple[bytes, ...]:
    """The envelopes that truly go to the desk (True), to a source (False), or to nobody (None)."""
    return tuple(each.envelope for each in _distinct(holder) if case.to_desk.get(each.tag) in ways)


def _distinct(holder: Holder) -> list[Sealed]:
    return list({each.tag: each for each in holder.envelopes}.values())


@functools.cache
def _difference(some: tuple[bytes, ...], others: tuple[bytes, ...]) -> float:
    """Of all bits of an envelope, the one whose share differs most between two groups, in spreads."""
    if not some or not others:
        return 0.0
    ones, twos = _ones(some), _ones(others)
    most, a, b = 0.0, len(some), len(others)
    for one, two in zip(ones, twos, strict=True):
        share = (one + two) / (a + b)
        if 0 < share < 1:
            most = max(most, abs(one / a - two / b) / (share * (1 - share) * (1 / a + 1 / b)) ** 0.5)
    return most


@functools.cache
def _ones(envelopes: tuple[bytes, ...]) -> list[int]:
    """How many envelopes have each bit set; columns are added as whole numbers, a carry a plane."""
    planes: list[int] = []
    for envelope in envelopes:
        carry = int.from_bytes(envelope, "big")
        for place, plane in enumerate(planes):
            planes[place], carry = plane ^ carry, plane & carry
        if carry:
            planes.append(carry)
    texts = [f"{plane:0{8 * ENVELOPE}b}" for plane in planes]
    return [sum(1 << place for place, text in enumerate(texts) if text[bit] == "1") for bit in range(8 * ENVELOPE)]


def _guessed(holder: Holder, case: Case) -> bool:
    """Whether a guess by what came just before is right nine times of ten.

    Both ask for the list of editions first: a desk right after it asked what is pending, a device after the lists.
    """
    guesses, to_desk, before = list[bool](), True, DOOR
    for passed in holder.passed:
        guesses += [to_desk == case.to_desk[put.tag] for put in puts_in(passed) if put.tag in case.to_desk]
        if b"GET /v1/editions HTTP" in passed.sent:
            to_desk = before == DOOR
        before = passed.onion
    return bool(guesses) and sum(guesses) > 0.9 * len(guesses)


# -- when -------------------------------------------------------------------------------------------


def when(holder: Holder, case: Case) -> Marks:
    """How finely do they know when an envelope came?"""
    marks = {"edition"} if any(each.edition is not None for each in holder.envelopes) else set()
    for kind, tags in _orders(holder):
        known = [case.arrived[tag] for tag in tags if tag in case.arrived]
        if _rank_correlation(known) > SIGMAS - 1:
            marks.add(f"{kind}: its order")
    for stat in holder.stats:
        of_envelopes = stat.path.startswith(("pool/pending", "pool/editions"))  # others tell when a desk worked (4.2)
        if of_envelopes and any(
            letter.began - 0.01 < time < letter.ended + 0.01 for letter in case.story.letters for time in stat.times
        ):
            marks.add("the last commit")
    if holder.name == "laptop" and any(
        0 <= worked - max(stat.times) < 5 for stat in holder.stats for worked in case.story.worked.values()
    ):
        marks.add("when the desk last worked")
    if holder.passed and all(_came(letter, holder.passed) for letter in case.story.letters if letter.act > 0):
        marks.add("arrival")
    if any(_between(tag, holder.polls) < EDITION_SECONDS for tag in case.to_desk):
        marks.add("as finely as they ask")
    return frozenset(marks)


def _came(letter: Letter, passed: Iterable[Passed]) -> bool:
    return any(letter.began <= at <= letter.ended for each in passed if each.onion == DOOR for at in each.times)


def _between(tag: bytes, polls: Sequence[tuple[float, set[bytes]]]) -> float:
    """Seconds between the last time that it was not pending and the first that it was."""
    gaps = [after[0] - before[0] for before, after in pairwise(polls) if tag in after[1] - before[1]]
    return min(gaps, default=float("inf"))


def _rank_correlation(values: Sequence[float]) -> float:
    """Of values with their own places: in spreads, by which they ascend or descend more than by chance."""
    if len(values) < 10:
        return 0.0
    ranks = {value: rank for rank, value in enumerate(sorted(values))}
    correlation: float = statistics.correlation([ranks[value] for value in values], list(range(len(values))))
    return abs(correlation) * float((len(values) - 1) ** 0.5)


# -- who, how much, how many ------------------------------------------------------------------------


def who(holder: Holder, case: Case) -> Marks:
    """Do they learn anything of who a source is?"""
    marks = {f"{name}" for name, text in (("a circuit's number", CIRCUITS),) if _has(holder, text)}
    marks |= {"an address" for address in ADDRESSES if _has(holder, address)}
    if any(NAMED in letter.text for letter in case.read(holder)):
        marks.add("what the source wrote")
    return frozenset(marks)


def _has(holder: Holder, text: str) -> bool:
    forms = (text.encode(), text.encode().hex().encode(), text.encode("utf-16-le"))
    return any(form in raw for _, raw in holder.things for form in forms)


def how_much(holder: Holder, case: Case) -> Marks:
    """Do they learn how much was written?"""
    marks, counts = set(), Counter(each.edition for each in _distinct(holder))
    true = Counter(opened.sealed.edition for opened in case.everything.values())
    if counts and all(padded(true[edition]) == counts[edition] for edition in true if edition in counts):
        marks.add("padded count")
    if _difference(_going(holder, case, {None}), _going(holder, case, {True, False})) > SIGMAS:
        marks.add("dummies")
    if len(holder.pending) % MULTIPLE:
        marks.add("pending")
    hostile = [each for passed in holder.passed for each in puts_in(passed)]
    if hostile and {tag for tag in case.arrived if case.arrived[tag] >= holder.passed[0].at} <= {
        e.tag for e in hostile
    }:
        marks.add("exactly")
    read = case.read(holder)
    marks |= {"of messages"} if any(letter.sent for letter in read) else set()
    marks |= {"of answers"} if any(not letter.sent for letter in read) else set()
    if any(isinstance(opened.part, SourcePart) and opened.part.received for opened in case.open(holder).values()):
        marks.add("how many had arrived")
    return frozenset(marks)


def how_many(holder: Holder, case: Case) -> Marks:
    """Do they learn how many members there are?"""
    marks = set()
    if len(_signers(holder, case)) >= 2:
        marks.add("signers")
    if holder.shown and any(removed(*pair) for pair in pairwise(case.rosters())):
        marks.add("changes")
    if holder.shown and any(slot.label for roster in case.rosters() for slot in roster.slots):
        marks.add("labels")
    if _devices(holder, case):
        marks.add("devices")
    answered = {opened.part.header.slot for opened in case.open(holder).values() if opened.source is not None}
    marks |= {"who answered"} if answered else set()
    return frozenset(marks)


def _signers(holder: Holder, case: Case) -> set[bytes]:
    lists = [UntrustedDutyList.of(raw) for raw in holder.shown.get("duty", [])]
    keys = {slot.signing for roster in case.rosters() for slot in roster.slots}
    return {key for each in lists for key in each.valid(keys)}


def _devices(holder: Holder, case: Case) -> int:
    """Devices that an access list names, in a file or in an open vault."""
    names = {hit[0] for name, _ in holder.things if (hit := re.search(r"slot-\d\d\.auth", name))}
    access = case.story.house.access
    listed = [count for raw, count in access.items() if any(raw in held for _, held in holder.things)]
    return max([len(names), *listed], default=0)


ROWS: dict[str, Trial] = {
    "words of a message": words,
    "which envelopes belong together": together,
    "to the desk or to a source": direction,
    "when": when,
    "who": who,
    "how much": how_much,
    "how many members": how_many,
}
