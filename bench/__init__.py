"""How fast the door and the desk are, what they cost, and how near that is to what the machine can do at all."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the organisation of the tests serves here too
