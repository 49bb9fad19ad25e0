"""``python -m unigrad``: the command."""

from unigrad.cli import main

main()
