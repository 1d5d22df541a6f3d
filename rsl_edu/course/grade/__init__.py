"""Grading that cannot be cheated: the checks run in a process that the student's code never enters.

Read :mod:`.run` first: it takes submissions (:mod:`.submissions`) and keeps rows (:mod:`.gradebook`). :mod:`.marking`
judges one submission, whose code runs in :mod:`.worker`, behind :mod:`.student`, in the :mod:`.sandbox`; what goes
between the two is plain data (:mod:`.wire`). :mod:`.pages` fills the templates next to it: what people read.
"""
