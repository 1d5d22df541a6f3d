"""rsl_edu: the building blocks of robot learning, to read, to explore with sliders and to train with."""

from .folders import ensure_matplotlib_folder

__version__ = "0.1.0"

ensure_matplotlib_folder()
