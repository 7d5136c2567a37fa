"""Deterministic CBOR with bounds: what does not re-encode to itself is refused (RFC 8949 section 4.2; spec 6.1)."""

from __future__ import annotations

from typing import Any, NoReturn

import cbor2

from .errors import Layer, Refused

DEPTH = 6  # the deepest of ours, a roster inside a signed thing, has 4
_TAGS = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)


def encode(value: object) -> bytes:
    """The one encoding of a value made of int, bytes, str, bool, None, list and dict."""
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes, layer: Layer, limit: int) -> Any:
    """The value that `data` (at most `limit` bytes) encodes; Refused(`layer`) for anything else.

    Tags, floats, indefinite lengths, double keys, other orders and trailing bytes are refused.
    """
    if len(data) > limit:
        raise Refused(layer, f"There are more than {limit} bytes of CBOR.")
    try:
        value = cbor2.loads(
            data,
            max_depth=DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            semantic_decoders=_NO_TAGS,
            tag_hook=_no_tag,
        )
        if _is_plain(value) and encode(value) == data:
            return value
    except (cbor2.CBORError, ValueError, TypeError, RecursionError):
        pass
    raise Refused(layer, "The CBOR is not in its one allowed form.")


def _no_tag(*_: object) -> NoReturn:
    raise ValueError("tags are not used")


_NO_TAGS = dict.fromkeys(_TAGS, _no_tag)


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(key) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or type(value) in (int, bytes, str, bool)
