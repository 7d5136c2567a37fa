"""Fuzzes one target for some seconds: with atheris, where there is one for this machine, else with hypothesis.

    python -m fuzz.run TARGET SECONDS FOLDER [hypothesis]      in tests/; what is new and interesting goes to FOLDER

Ends with 0 when nothing was found, else prints the fault; atheris leaves the input in FOLDER as crash-....
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

Target = Callable[[bytes], None]
MOST = 9_000  # bytes of an input: a plaintext, or a signed thing with some keys


def main(name: str, seconds: int, folder: Path, engine: str = "atheris") -> None:
    """Fuzzes; an error of the target ends it."""
    if engine == "atheris" and importlib.util.find_spec("atheris"):
        _with_atheris(name, seconds, folder)
    else:
        _with_hypothesis(name, seconds)


def planted(data: bytes) -> None:
    """A parser with a fault, to see that it is found."""
    if data[:1] > b"\xf0":
        raise AssertionError("planted")


def _found(name: str) -> tuple[Target, list[bytes]]:
    """A target and inputs for it; imported late, so that atheris can follow it."""
    if name == "planted":
        return planted, [b"a"]
    target: Target = importlib.import_module("fuzz.targets").TARGETS[name]
    return target, importlib.import_module("fuzz.seeds").inputs(name)


def _with_atheris(name: str, seconds: int, folder: Path) -> None:
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["sottovoce", "fuzz.targets"]):
        target, known = _found(name)
    for number, data in enumerate(known):
        (folder / f"seed-{number}").write_bytes(data)
    options = [f"-max_total_time={seconds}", f"-max_len={MOST}", "-timeout=20", "-rss_limit_mb=2000", "-reload=0"]
    atheris.Setup([name, *options, f"-artifact_prefix={folder}/", str(folder)], target)
    atheris.Fuzz()


def _with_hypothesis(name: str, seconds: int) -> None:
    target, known = _found(name)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        _round(target, known)


def _round(target: Target, known: list[bytes]) -> None:
    """A few hundred inputs: any bytes, and known ones with some bytes changed, cut or added."""
    change = st.tuples(st.sampled_from(known), st.integers(0, MOST), st.integers(0, 40), st.binary(max_size=40))
    changed = change.map(lambda each: each[0][: each[1]] + each[3] + each[0][each[1] + each[2] :])
    quiet = {"database": None, "deadline": None, "suppress_health_check": list(HealthCheck)}

    @settings(max_examples=300, phases=[Phase.generate, Phase.shrink], verbosity=Verbosity.quiet, **quiet)  # type: ignore[arg-type]
    @given(st.binary(max_size=400) | changed)
    def fuzzed(data: bytes) -> None:
        target(data)

    fuzzed()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])
