"""All that a call says in one language, as the bytes that a native reader reviews and the office signs off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sottovoce.outreach.paper.words import paper_words
from sottovoce.outreach.srt import read_srt
from sottovoce.outreach.words import words
from sottovoce.protocol import cbor

if TYPE_CHECKING:
    from sottovoce.outreach.call import Call, Video

FORM = 1  # another one whenever the same sentences would give other bytes


def said(call: Call, language: str) -> bytes:
    """Deterministic CBOR of {0: FORM, 1: the call's name, 2: language, 3: its texts, 4: captions and 5: spoken lines by
    video, 6: the program's sentences, 7: the policy's clauses with theirs, 8: the sentences of papers}. CallError where
    one can't be read.

    Sentences only: when a caption begins, or how a file is laid out, asks for no new review.
    """
    sentences = words(language)
    own = msgspec.to_builtins(sentences)
    del own["clauses"]  # only those that the policy chose are said
    return cbor.encode(
        {
            0: FORM, 1: call.file.name, 2: language, 3: msgspec.to_builtins(call.texts[language]),
            4: {video.name: _captions(video, language) for video in call.videos},
            5: {video.name: _spoken(video, language) for video in call.videos},
            6: own, 7: [list(clause) for clause in sentences.advice(call.policy)],
            8: msgspec.to_builtins(paper_words(language)),
        }
    )  # fmt: skip


def _captions(video: Video, language: str) -> list[str]:
    path = video.captions(language)
    return [cue.text for cue in read_srt(path)] if path.exists() else []


def _spoken(video: Video, language: str) -> list[str]:
    """What a synthetic voice reads; of a recording, the captions of its language tell."""
    return [line.say for line in video.file.sound.lines if line.say] if video.file.spoken == language else []
