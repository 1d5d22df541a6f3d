import subprocess
import sys

import pytest

PROBE = """
import sys
import torch
before = set(sys.modules)
import {module}
print(*{{name.partition(".")[0] for name in set(sys.modules) - before}})
"""


@pytest.mark.parametrize("module", ["rsl_edu", "rsl_edu.modules"])
def test_import_brings_nothing_beyond_torch(module):
    brought = subprocess.check_output([sys.executable, "-c", PROBE.format(module=module)], text=True).split()
    assert set(brought) - sys.stdlib_module_names == {"rsl_edu"}
