"""What is made of a call's films, as steps: bodies, cards and sounds that several films share, then one file a platform.

    build/parts/            sounds, bodies and cards: each made once, whoever needs it
    build/films/VIDEO/      PLATFORM-LANGUAGE.mp4 and .png, and captions under the names that platforms want
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ..call import Call, Shape, Video
from ..errors import CallError
from ..platforms import Platform, platforms
from ..srt import read_srt
from ..steps import Step
from ..tongues import TONGUES
