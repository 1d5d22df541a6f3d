"""Runs the command ``rsl-edu`` with ``python -m rsl_edu``."""

import sys

from .cli import main

sys.exit(main())
