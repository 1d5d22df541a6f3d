"""rsl_edu: the building blocks of robot learning, to read, to slide and to train with."""

__version__ = "0.1.0"
