"""The columns, the small vocabulary in which a finding is said, and the table that both make."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from who.case import Case
from who.holders import Holder, Holders
from who.trials import ROWS, Marks

BEGIN, END = "<!-- who sees what: begin -->", "<!-- who sees what: end -->"
THREATS = Path(__file__).parents[2] / "spec" / "THREATS.md"
COLUMNS = (
    "anyone on the internet, for ever",
    "server at rest (seized disk)",
    "server live and hostile",
    "a member, also a former one",
    "who has the twelve words",
    "a stolen desk laptop, locked",
)
NOTHING = "\N{EN DASH}"

# What the marks of a cell mean together. A finding that is not here can't be printed: then think it over.
SAYS: dict[str, dict[frozenset[str], str]] = {
    "words of a message": {
        frozenset(): NOTHING,
        frozenset({"door: answers", "door: sent from then on"}): (
            "**one visit through the no-script door gives it all answers still in the pool, and all that is written "
            "and answered from then on, until the source begins anew elsewhere**; not what was sent before; "
            f"device client: {NOTHING}"
        ),
        frozenset({"sent", "own answers", "former: sent until removal"}): (
            "what sources sent, and own answers; until removed; later ones no"
        ),
        frozenset({"answers of the last month", "kept: older answers"}): (
            "answers of the last 30 epochs (of any age, where the editions were kept); not what was sent"
        ),
    },
    "which envelopes belong together": {
        frozenset(): NOTHING,
        frozenset({"pending: its order"}): f"{NOTHING}; guesses by the order of what is pending",
        frozenset({"answers", "door: a visit", "device client: timing"}): (
            "door: all of a conversation that visited; device client: no two by their circuit, guesses by timing"
        ),
        frozenset({"sent", "own answers", "former: sent until removal"}): "yes, of what sources sent, and own slot",
        frozenset({"answers"}): "answers",
    },
    "to the desk or to a source": {
        frozenset(): NOTHING,
        frozenset({"door posts", "answers by their tags", "timing"}): (
            "tells door posts from API posts, and a visitor's answers; guesses by timing"
        ),
        frozenset({"messages by opening", "answers by their tags", "former: messages by opening"}): "yes",
        frozenset({"answers by their tags"}): "its answers",
    },
    "when": {
        frozenset({"edition"}): "edition (6 h)",
        frozenset({"edition", "pending: its order", "the last commit"}): (
            "edition (6 h); of what is pending, its order, and the moment of the last commit"
        ),
        frozenset({"edition", "arrival"}): "arrival",
        frozenset({"edition", "as finely as they ask", "former: edition", "former: as finely as they ask"}): (
            "edition (6 h); while a member, as finely as the desk asks"
        ),
        frozenset({"when the desk last worked"}): f"{NOTHING} (when the desk last worked)",
    },
    "who": {
        frozenset(): NOTHING,
        frozenset({"a circuit's number", "later: a circuit's number"}): f"{NOTHING} (Tor; a circuit's number)",
        frozenset({"what the source wrote", "former: what the source wrote"}): "only what the source wrote",
    },
    "how much": {
        frozenset(): NOTHING,
        frozenset({"padded count"}): "padded count per edition",
        frozenset({"padded count", "pending"}): "the same, and what is pending",
        frozenset({"padded count", "exactly", "of messages", "of answers", "how many had arrived"}): (
            "every envelope; of who visits the door, every text"
        ),
        frozenset({"padded count", "of messages", "of answers", "former: padded count", "former: of messages"}): "yes",
        frozenset({"padded count", "of answers", "how many had arrived"}): (
            "padded count; its answers, and how many messages had arrived"
        ),
    },
    "how many members": {
        frozenset(): NOTHING,
        frozenset({"signers", "changes"}): (
            "at least those that signed; joins and removals by whoever keeps old rosters"
        ),
        frozenset({"signers", "changes", "devices"}): "device keys of the members' onion",
        frozenset({"signers", "changes", "devices", "who answered"}): "yes",
        frozenset({"signers", "changes", "devices", "former: signers", "former: changes", "former: devices"}): "yes",
        frozenset({"signers", "changes", "who answered"}): "at least those that signed, or answered this source",
    },
}

NOTES = """\
Where this differs from the design's table, the trials found something else:

- **Words, live server:** what a source sent before the server turned hostile stays closed to it, also when the source
  comes back: the words open answers only. After the workers were replaced, memory holds neither words nor text.
- **Words, member:** answers of colleagues are sealed to the source alone, and are in no other member's vault.
- **Words, who has the twelve words:** answers have no forward secrecy. The door forgets them after 30 epochs; who
  downloaded the editions does not.
- **Together and when, seized disk:** what came since the last edition closed lies in the order of its arrival on the
  database's pages and in its log (4.1); change times of files tell the moment of the last commit (4.2). Both go with
  the close.
- **Together, live server:** a device puts each envelope on a circuit of its own, but one right after the other.
- **When, member:** the members' onion shows at once what is pending. The vault itself keeps the edition.
- **When, who has the words:** an answer's tag names a quarter of a day, which is the edition.
- **When, laptop:** the times of the vault's files are those of the desk's work, not of any message.
- **How much and how many, who has the words:** an answer says how many messages had arrived, and names its slot.
- **How many:** labels of the roster are public, and a label says that its slot is used: `member admit` gives none
  unless it is told to.

Chunks of attachments are in no version yet; their cells come with them. "Its": of the source whose words these are."""


class Part(NamedTuple):
    """A holder of a column; `before` stands before the marks that are this holder's."""

    before: str
    holder: Holder


def columns(holders: Holders) -> list[list[Part]]:
    """Who plays each column, in the order of COLUMNS."""
    return [
        [Part("", holders.anyone)],
        [Part("", holders.at_rest)],
        [Part("", holders.live), Part("later: ", holders.replaced)],
        [Part("", holders.member), Part("former: ", holders.former)],
        [Part("", holders.words), Part("kept: ", holders.words_and_editions)],
        [Part("", holders.laptop)],
    ]


def cell(row: str, parts: list[Part], case: Case) -> Marks:
    """What the row's trial finds in a column; what anybody has, and the column before, is said once."""
    first, *more = parts
    marks = set(ROWS[row](first.holder, case))
    for part in more:
        found = ROWS[row](part.holder, case)
        known = marks if part.before == "kept: " else ROWS[row](case.holders.anyone, case)
        marks |= {part.before + mark for mark in (found if part.before == "former: " else found - known)}
    return frozenset(marks)


def table(case: Case) -> str:
    """The table, from the artefacts of the case's story, and the notes below it."""
    players = columns(case.holders)
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for row, says in SAYS.items():
        found = [cell(row, parts, case) for parts in players]
        unsaid = [(column, sorted(marks)) for column, marks in zip(COLUMNS, found, strict=True) if marks not in says]
        assert not unsaid, f"the vocabulary has no words for what was found of {row!r}: {unsaid}"
        lines.append(f"| {row} | " + " | ".join(says[marks] for marks in found) + " |")
    return "\n".join(lines) + f"\n\n{NOTES}"


def placed(text: str, made: str) -> str:
    """THREATS.md with the table between its markers."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{made}\n{END}{after}"
