"""File name of a student's page. This module does not import torch, so that ``rsl-edu mark`` starts quickly."""

from __future__ import annotations

import hashlib
import re
import unicodedata


def file_name(submission: str) -> str:
    """Return the file name of a student's page, which is safe on every system and unique for this submission."""
    plain = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", submission))[:40].strip("-") or "submission"
    return f"{plain}-{digest(submission)}.html"


def digest(submission: str) -> str:
    """Return letters and digits that distinguish the name of a submission from all other names."""
    return hashlib.sha256(submission.encode("utf-8", "surrogatepass")).hexdigest()[:10]
