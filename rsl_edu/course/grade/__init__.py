"""Grading that students cannot manipulate: the checks run in a process that the student's code never enters.

Read :mod:`.run` first. It takes submissions (:mod:`.submissions`), and the :mod:`.ledger` stores their rows. From
these, :mod:`.policy` makes one row for each student (:mod:`.settings`, :mod:`.roster`, :mod:`.by_hand`).
:mod:`.marking` judges one submission. Its code runs in :mod:`.inside.worker`, inside the :mod:`.sandbox`, and is
reached through :mod:`.student`; only plain data passes between the two (:mod:`.wire`). :mod:`.pages` renders the HTML
pages. :mod:`.exports` writes files for learning platforms (:mod:`.lms`).
"""
