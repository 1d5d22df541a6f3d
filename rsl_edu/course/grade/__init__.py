"""Grading that cannot be cheated: the checks run in a process that the student's code never enters.

Read :mod:`.run` first: it takes submissions (:mod:`.submissions`), and the :mod:`.ledger` keeps their rows, of which
:mod:`.policy` makes one for each student (:mod:`.settings`, :mod:`.roster`, :mod:`.by_hand`). :mod:`.marking`
judges one submission, whose code runs in :mod:`.inside.worker`, behind :mod:`.student`, in the :mod:`.sandbox`; what
goes between the two is plain data (:mod:`.wire`). :mod:`.pages` fills templates: what people read. :mod:`.exports`
writes what learning platforms take back (:mod:`.lms`).
"""
