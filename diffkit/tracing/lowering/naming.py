"""Who reads a graph rather than runs it wants a determinant and a norm in it, not what they are computed by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_NAMED: ContextVar[bool] = ContextVar("named", default=False)


def as_named() -> bool:
    """Whether functions are traced to the step that has their name."""
    return _NAMED.get()


@contextmanager
def whole_names() -> Iterator[None]:
    """Trace a small determinant to one step, and norms and deviations to roots, without what is done at 0."""
    before = _NAMED.set(True)
    try:
        yield
    finally:
        _NAMED.reset(before)
