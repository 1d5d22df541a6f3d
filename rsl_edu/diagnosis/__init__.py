"""Diagnosis of trained policies: measures of layers, statistics, noise and hidden state, and findings based on them."""

from .contents import ContentsTable, contents_table
from .diagnosis import Diagnosis
from .examination import Examination, examine
from .findings import Finding
from .measures import Measures
from .sample import Sample, load, own, play, stand_in

__all__ = [
    "ContentsTable",
    "Diagnosis",
    "Examination",
    "Finding",
    "Measures",
    "Sample",
    "contents_table",
    "examine",
    "load",
    "own",
    "play",
    "stand_in",
]
