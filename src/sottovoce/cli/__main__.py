"""`python -m sottovoce.cli` is the same as `sottovoce`."""

from . import main

main()
