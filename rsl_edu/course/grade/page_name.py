"""How the page of a student is called. Torch is not imported here, so that points by hand can be entered at once."""

from __future__ import annotations

import hashlib
import re
import unicodedata


def file_name(submission: str) -> str:
    """Name of a student's page: safe on every system, and of this submission only."""
    plain = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", submission))[:40].strip("-") or "submission"
    return f"{plain}-{digest(submission)}.html"


def digest(submission: str) -> str:
    """Letters that tell the name of a submission from all others."""
    return hashlib.sha256(submission.encode("utf-8", "surrogatepass")).hexdigest()[:10]
