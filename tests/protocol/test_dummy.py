"""A dummy can't be told from a message by the statistic that tells random bytes from X-Wing (spec 5.9).

ML-KEM-768 sends 768 numbers below 3,329 as ten bits each. 3,329 values go into 1,024 buckets, so 257 buckets get four
values and the others three: the former come more often. The sum of the logarithms over one envelope tells with about
97 %.
"""

from __future__ import annotations

import functools
import math
import secrets
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from protocol.scene import DUTY, EPOCH, KEYS, ORG, answered, layer_of, written

from sottovoce.protocol.dummy import make_dummy
from sottovoce.protocol.envelope import TO_DESK
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.message import open_at_desk
from sottovoce.protocol.sealing import binding, unseal

Q, FIELD = 3_329, 2**255 - 19
U_BYTES, ENC = 3 * 320, 1_120
SAMPLES = 400
MEAN = 6.6  # of the score of real envelopes: half of them are above, and the spread is about 3.7
COIN = math.sqrt(math.log(2 * 10**6) / (4 * SAMPLES))  # Hoeffding: fair coins are further off once in a million times

BUCKETS = Counter((value * 1_024 + Q // 2) // Q % 1_024 for value in range(Q))
SCORES = [math.log(BUCKETS[bucket] * 1_024 / Q) for bucket in range(1_024)]


def score(envelope: bytes) -> float:
    """The logarithm of how much likelier the first 960 bytes are as ML-KEM's than as random ones."""
    packed = int.from_bytes(envelope[:U_BYTES], "little")
    return sum(SCORES[packed >> 10 * place & 1_023] for place in range(768))


def on_curve(envelope: bytes) -> bool:
    """Whether the ephemeral X25519 key is reduced, and on the curve: of random bytes a quarter would be."""
    u = int.from_bytes(envelope[ENC - 32 : ENC], "little")
    return u < FIELD and pow(u * (u * u + 486_662 * u + 1), (FIELD - 1) // 2, FIELD) in (0, 1)


def dummy() -> bytes:
    """The envelope of a dummy."""
    return make_dummy(secrets.token_bytes, ORG, EPOCH)[1]


@functools.cache
def sample(kind: str) -> Sequence[bytes]:
    """Envelopes of a kind, made once."""
    make: dict[str, Callable[[], bytes]] = {
        "random": lambda: secrets.token_bytes(8_192),
        "dummy": dummy,
        "message": written,
        "answer": lambda: answered()[1],
    }
    return [make[kind]() for _ in range(SAMPLES)]


def accuracy(real: Sequence[bytes], other: Sequence[bytes], threshold: float) -> float:
    """How often the score, compared with the threshold, says rightly which is which."""
    right = sum(score(each) >= threshold for each in real) + sum(score(each) < threshold for each in other)
    return right / (len(real) + len(other))


def test_5_9_the_statistic_is_that_of_the_published_compression() -> None:
    assert Counter(BUCKETS.values()) == {3: 767, 4: 257}


@pytest.mark.parametrize("kind", ["message", "answer", "dummy"])
def test_5_9_the_statistic_tells_random_bytes_from_a_sealing_by_one_envelope(kind: str) -> None:
    assert accuracy(sample(kind), sample("random"), 0) > 0.93


@pytest.mark.parametrize("kind", ["message", "answer"])
@pytest.mark.parametrize("threshold", [MEAN, 0, MEAN / 2])
def test_5_9_the_statistic_does_not_tell_dummies_from_messages(kind: str, threshold: float) -> None:
    assert abs(accuracy(sample(kind), sample("dummy"), threshold) - 0.5) < COIN


def test_5_9_the_x25519_key_does_not_tell_dummies_from_messages() -> None:
    assert all(on_curve(each) for kind in ("dummy", "message", "answer") for each in sample(kind))
    assert sum(on_curve(each) for each in sample("random")) < SAMPLES / 2


def test_5_9_each_byte_of_what_follows_the_key_looks_random_in_both() -> None:
    """Chi-square over 256 values of 2.8 million bytes: 255 expected, spread 22.6."""
    for kind in ("dummy", "message"):
        counts = Counter(b"".join(each[ENC:] for each in sample(kind)))
        mean = SAMPLES * (8_192 - ENC) / 256
        assert sum((counts[value] - mean) ** 2 / mean for value in range(256)) < 400


def test_5_9_nobody_opens_a_dummy() -> None:
    tag, envelope = make_dummy(secrets.token_bytes, ORG, EPOCH)
    assert (len(tag), len(envelope)) == (16, 8_192)
    for key in (DUTY, KEYS.kem):
        assert layer_of(functools.partial(open_at_desk, envelope, key, ORG, EPOCH, tag)) == "seal"


def test_5_9_every_dummy_has_a_fresh_tag_and_a_fresh_key() -> None:
    drawn: list[bytes] = []

    def random(size: int) -> bytes:
        drawn.append(secrets.token_bytes(size))
        return drawn[-1]

    dummies = [make_dummy(random, ORG, EPOCH) for _ in range(2)]
    assert [tag for tag, _ in dummies] == drawn[::2]
    assert len({*drawn, *(envelope[:ENC] for _, envelope in dummies)}) == 6
    for (tag, envelope), seed in zip(dummies, drawn[1::2], strict=True):  # only the seed that was thrown away opens it
        assert unseal(envelope, KemKey(seed), binding(ORG, TO_DESK, EPOCH, tag)) == bytes(7_056)
