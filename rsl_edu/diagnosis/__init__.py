"""What is wrong with a trained policy: its layers, its statistics, its noise and its memory, measured and judged."""

from .examination import Examination, examine
from .findings import Finding
from .measures import Measures
from .report import Diagnosis
from .sample import Sample, load, own, play, stand_in

__all__ = ["Diagnosis", "Examination", "Finding", "Measures", "Sample", "examine", "load", "own", "play", "stand_in"]
