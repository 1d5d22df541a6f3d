"""stub"""

import contextlib


class TooLongError(BaseException): ...


@contextlib.contextmanager
def limited(seconds):
    yield
