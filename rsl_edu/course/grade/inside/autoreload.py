"""IPython's extension for ``%autoreload`` and ``%aimport``, changed to detect changes within the same second, too."""

from __future__ import annotations

import importlib
import sysconfig
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

_INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


class Autoreload:
    """Reloads the modules of a notebook, like a Jupyter kernel that has loaded IPython's autoreload extension.

    Args:
        names: Namespace of the notebook.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        # imported only here, because the import is slow and few notebooks need it
        extension: Any = importlib.import_module("IPython.extensions.autoreload")
        self._texts: dict[str, tuple[int, bytes]] = {}
        self._magics = extension.AutoreloadMagics(SimpleNamespace(user_ns=names, push=names.update))
        reloader = self._magics._reloader
        reloader.filename_and_mtime = self._version
        reloader.modules_mtimes.clear()
        reloader.check(check_all=True, do_reload=False)

    def do(self, name: str, line: str) -> None:
        """Run ``%name line``."""
        getattr(self._magics, name)(line)

    def before(self, source: str) -> None:
        """Before a cell with this source runs, reload modules that have changed."""
        self._magics.pre_run_cell(SimpleNamespace(transformed_cell=source))

    def after(self) -> None:
        """Register the modules that a cell has imported."""
        self._magics.post_execute_hook()

    def _version(self, module: ModuleType) -> tuple[str, int] | tuple[None, None]:
        """Return the file of a module, and the number of times that its text has changed.

        The extension compares file times, which are too coarse for a notebook that runs without pauses.
        """
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not file.endswith(".py") or file.startswith(_INSTALLED):
            return None, None
        try:
            text = Path(file).read_bytes()
        except OSError:
            return None, None
        version, known = self._texts.get(file, (0, None))
        if text != known:
            version += 1
            self._texts[file] = version, text
        return file, version
