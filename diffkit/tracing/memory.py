"""Views and writes: arrays that f fills in place, recorded as single assignment.

The tracer that owns the memory (the root) remembers its pending writes; views remember their root and how they look
into it. Writes are carried out, as one scatter, when the array is next read as a whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.graph import CONSTANT
from diffkit.ops import Op, Static, Where, as_index, where_shape
from diffkit.primitives.moving import Place
from diffkit.tracing.layouts import entries_of

if TYPE_CHECKING:
    from diffkit.tracing.tracer import Tracer


SHORT = 16
"""A read of at most so many entries is put together from single writes that are still pending."""


def view(result: Tracer, source: Tracer, op: Op, params: dict[str, Any]) -> Tracer:
    """Make ``result`` a view of ``source``: what is written into one is seen in the other."""
    if result.ndim:
        root = source if source._root is None else source._root
        result._root = root
        result._recipe = (*source._recipe, (op, params))
        result._seen = root._version
    return result


def viewing(op: Op, source: Tracer, **params: Any) -> Tracer:
    """Record an op whose result NumPy gives as a view; where writes are pending, it looks when it is read."""
    root = source if source._root is None else source._root
    behind = bool(root._pending) if source is root else source._seen != root._version
    if not behind:
        return view(op(source, **params), source, op, params)
    result = view(op(source.recorder.tracer(source._position), **params), source, op, params)
    if result._root is None:
        return op(source, **params)
    result._seen = -1
    return result


def stays_view(looking: Tracer, change: Callable[[Any], Any]) -> bool:
    """Whether NumPy's result is a view; a change of shape copies entries that do not lie in order."""
    root = looking if looking._root is None else looking._root
    entries = entries_of(root.recorder, root._made)
    for op, params in looking._recipe:
        entries = op.evaluate(entries, **params)
    return np.may_share_memory(entries, change(entries))


def refresh(looking: Tracer, root: Tracer) -> None:
    """Look again: the root was written since."""
    (op, params), *others = looking._recipe
    current = pending_read(root, params["place"]) if op is p.index else None
    current = op(root.snapshot(), **params) if current is None else current
    for op, params in others:
        current = op(current, **params)
    looking._position, looking._seen = current.index, root._version


def write(target: Tracer, place: Place, value: Tracer) -> None:
    """Write a value of the place's shape into a root or a view."""
    root = target._root
    if root is None:
        return _write_root(target, place, value)
    if any(op is p.broadcast for op, _ in target._recipe):
        raise TracingError("a broadcast array is read-only; copy it before writing")
    return _write_root(root, _located(target, root, place), value)


def _located(looking: Tracer, root: Tracer, place: Place) -> Place:
    """Where a place of a view lies in its root."""
    entries = np.arange(root.size).reshape(root.shape)
    for op, params in looking._recipe:
        entries = op.evaluate(entries, **params)
    inside = _at(entries, place)
    return Static(inside) if inside.ndim else tuple(int(part) for part in np.unravel_index(int(inside), root.shape))


def _write_root(root: Tracer, place: Place, value: Tracer) -> None:
    if root.outside:
        raise TracingError(
            "f writes into an array that was made outside of it; pass it as an argument, or copy it inside f first"
        )
    if value.level > root.level:
        raise TracingError("a derivative inside f writes into an array of f; return the values instead")
    value = root.recorder.tracer(root.recorder.lift(value))
    if root._pending is not None and place not in root._pending and _at(root._written, place).any():
        flush(root)
    if root._pending is None:
        root._pending, root._written = {}, np.zeros(root.shape, dtype=bool)
    _mark(root._written, place)
    root._pending[place] = value
    root._version += 1


def _at(array: Any, place: Place) -> Any:
    return array.reshape(-1)[place.array] if isinstance(place, Static) else array[as_index(place)]


def _mark(array: Any, place: Place) -> None:
    if isinstance(place, Static):
        array.reshape(-1)[place.array] = True
    else:
        array[as_index(place)] = True


def pending_read(source: Tracer, place: Place) -> Any:
    """What a read at a basic place gives without carrying out the pending writes; None if it needs them."""
    root = source if source._root is None else source._root
    if not root._pending:
        return None
    if source is not root:
        place = _located(source, root, place)
    if place in root._pending:
        return root._pending[place].snapshot()
    if isinstance(place, Static):
        return None
    written = _at(root._written, place)
    if not written.any():
        return p.index(root.recorder.tracer(root._position), place=place)
    return _assembled(root, root._pending, place, written.copy()) if written.size <= SHORT else None


def _assembled(root: Tracer, pending: dict[Place, Any], place: Where, written: Any) -> Any:
    """A read of entries that were written one by one; None if they were not."""
    axes = [
        (part,) if isinstance(part, int) else range(part.start, part.start + part.length * part.step, part.step)
        for part in place
    ]
    spots = dict(zip(np.ndindex(*where_shape(place)), itertools.product(*axes), strict=True))
    found = {here: pending.get(spot) for here, spot in spots.items() if written[here]}
    if any(value is None for value in found.values()):
        return None
    made = p.scatter(*found.values(), shape=written.shape, places=tuple(found))
    return _patched(root, made, written, lambda before: p.index(before, place=place))


def flush(root: Tracer) -> None:
    """Carry out the pending writes of a root: one scatter, over what was there before."""
    pending, written = root._pending, root._written
    root._pending, root._written = None, None
    if pending:
        made = p.scatter(*pending.values(), shape=root.shape, places=tuple(pending))
        root._position = _patched(root, made, written, lambda before: before).index


def _patched(root: Tracer, made: Any, written: Any, read: Callable[[Any], Any]) -> Any:
    """What was written, over what was there before."""
    step = root.recorder.steps[root._position]
    blank = step.op is CONSTANT and not step.params["value"].any()
    if blank or written.all():
        return made
    return p.where(root.recorder.constant(written), made, read(root.recorder.tracer(root._position)))
