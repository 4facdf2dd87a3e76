"""Names -> differentiators: the methods, the choice between them, and what other packages add by entry points."""

from __future__ import annotations

import functools
from dataclasses import fields
from typing import Any

from diffkit.differentiators.auto import Auto
from diffkit.differentiators.base import Differentiator
from diffkit.differentiators.finite import FiniteDifference
from diffkit.differentiators.forward import Forward
from diffkit.differentiators.mixed import Mixed
from diffkit.differentiators.reverse import Reverse
from diffkit.differentiators.sparse import Sparse
from diffkit.differentiators.symbolic import Symbolic
from diffkit.errors import InputError, UnknownNameError

KINDS: tuple[type[Differentiator], ...] = (FiniteDifference, Symbolic, Forward, Reverse, Mixed, Auto)
BUILT_IN: dict[str, type[Differentiator]] = {kind.name: kind for kind in KINDS}
STRUCTURED: dict[str, type[Differentiator]] = {Sparse.name: Sparse}
"""By name too, but not among `names`: what takes its place beside the others gives dense arrays."""
GROUP = "diffkit.differentiators"


@functools.cache
def _added() -> dict[str, Any]:
    """Entry points of other packages, looked at only when a name is not built in or all are listed."""
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=GROUP)}


def names() -> tuple[str, ...]:
    """Which differentiators are there?

    Examples
    --------
    >>> import diffkit as dk
    >>> dk.names()[:4]
    ('finite-difference', 'symbolic', 'forward', 'reverse')
    """
    return (*BUILT_IN, *(name for name in _added() if name not in BUILT_IN))


def get(name: str | Differentiator, **options: Any) -> Differentiator:
    """A differentiator by name; one that is made already, as it is.

    Parameters
    ----------
    name
        One of `names`, or "sparse".
    **options
        Fields of the differentiator's class, such as ``engine="interpreted"`` or ``scheme="complex-step"``.

    Raises
    ------
    UnknownNameError
        For a name or an option that nobody has.
    InputError
        For what is neither a name nor a differentiator, and for options beside one that is made already.

    Examples
    --------
    >>> import diffkit as dk
    >>> dk.get("reverse").name
    'reverse'
    >>> dk.get("revers")
    Traceback (most recent call last):
    diffkit.errors.UnknownNameError: no method 'revers'; did you mean 'reverse'? Known: auto, ...
    """
    if isinstance(name, Differentiator):
        if options:
            raise InputError(f"options {', '.join(options)} belong to a method's name; this one is made already")
        return name
    given: Any = name
    if not isinstance(given, str):
        raise InputError(
            f"a method is given by its name or as a Differentiator, such as Reverse(), not as {name!r}; "
            "see diffkit.names()"
        )
    kind = BUILT_IN.get(name) or STRUCTURED.get(name) or _load(name)
    known = [field.name for field in fields(kind)]
    for option in options:
        if option not in known:
            raise UnknownNameError(option, known, kind=f"option of {name}")
    return kind(**options)


def _load(name: str) -> type[Differentiator]:
    """What another package adds."""
    if name not in _added():
        raise UnknownNameError(name, names(), kind="method")
    kind = _added()[name].load()
    if not (isinstance(kind, type) and issubclass(kind, Differentiator)):
        raise InputError(
            f"the entry point {name!r} of group {GROUP!r} is {kind!r}; it must be a subclass of diffkit.Differentiator"
        )
    return kind
