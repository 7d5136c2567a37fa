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

MOST = 9_000  # bytes of an input: a plaintext, or a signed thing with some keys


def main(name: str, seconds: int, folder: Path, engine: str = "atheris") -> None:
    """Fuzzes; an error of the target ends it."""
    if engine == "atheris" and importlib.util.find_spec("atheris"):
        _with_atheris(name, seconds, folder)
    else:
        _with_hypothesis(name, seconds)


def _with_atheris(name: str, seconds: int, folder: Path) -> None:
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["sottovoce", "fuzz.targets"]):
        found = importlib.import_module("fuzz.seeds")
    for number, data in enumerate(found.inputs(name) if name != "planted" else [b"a"]):
        (folder / f"seed-{number}").write_bytes(data)
    options = [f"-max_total_time={seconds}", f"-max_len={MOST}", "-timeout=20", "-rss_limit_mb=2000", "-reload=0"]
    atheris.Setup([name, *options, f"-artifact_prefix={folder}/", str(folder)], found.target(name))
    atheris.Fuzz()


def _with_hypothesis(name: str, seconds: int) -> None:
    found = importlib.import_module("fuzz.seeds")
    known = found.inputs(name) if name != "planted" else [b"a"]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        _round(found.target(name), known)


def _round(target: Callable[[bytes], None], known: list[bytes]) -> None:
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
