"""Run the command with ``python -m rsl_edu.cli``."""

import sys

from . import main

sys.exit(main())
