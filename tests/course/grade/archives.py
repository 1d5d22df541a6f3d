"""Shared helpers for tests of submissions: classes in folders and zips."""

import io
import json
import zipfile

from rsl_edu.course.grade.submissions import find

NOTEBOOK = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "x = 1"}]}).encode()
MOODLE = "Ada Lovelace_1234567_assignsubmission_file_"
CANVAS = "lovelaceada_98765_4321_hw-1.ipynb"


def zipped(files, compression=zipfile.ZIP_DEFLATED):
    """Return a zip of files, given as names or ZipInfo with contents."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data)
    return content.getvalue()


def on_disk(folder, files):
    for name, data in files.items():
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return folder


def rows(*paths):
    """Return names, each with the reason why it cannot be graded, or ""."""
    found = []
    for submission in find(paths):
        assert bool(submission.content) != bool(submission.problem) or not submission.problem
        found.append((submission.name, submission.problem))
    return found
