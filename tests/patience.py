"""How long a test waits for what must come.

Tests wait for events: however busy the machine, what is right comes in the end. Only a test that fails waits this long.
"""

import os

SECONDS = int(os.environ.get("PATIENCE", "600"))
MILLISECONDS = 1000 * SECONDS
