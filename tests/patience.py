"""How long a test waits for an event.

Tests wait for events instead of fixed times, so they also pass on a busy machine. Only a failing test waits this long.
"""

import os

SECONDS = int(os.environ.get("PATIENCE", "600"))
MILLISECONDS = 1000 * SECONDS
