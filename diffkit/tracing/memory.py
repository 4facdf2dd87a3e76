"""Views and writes: arrays that f fills in place, recorded as single assignment.

The tracer that owns the memory (the root) remembers its pending writes; views remember their root and how they look
into it. Writes are carried out, as one scatter, when the array is next read as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.graph import CONSTANT
from diffkit.ops import Op, Static, as_index
from diffkit.primitives.moving import Place, covering

if TYPE_CHECKING:
    from diffkit.tracing.tracer import Tracer


def view(result: Tracer, source: Tracer, op: Op, params: dict[str, Any]) -> Tracer:
    """Make ``result`` a view of ``source``: what is written into one is seen in the other."""
    if result.ndim:
        root = source._root if source._root is not None else source
        result._root = root
        result._recipe = (*source._recipe, (op, params))
        result._seen = root._version
    return result


def viewing(op: Op, source: Tracer, **params: Any) -> Tracer:
    """Record an op whose result NumPy gives as a view."""
    return view(op(source, **params), source, op, params)


def is_contiguous(looking: Tracer) -> bool:
    """Whether NumPy reshapes this by a view; it copies entries that do not lie in order."""
    if looking._root is None:
        return True
    entries = np.empty(looking._root.shape, dtype=bool)
    for op, params in looking._recipe:
        entries = op.evaluate(entries, **params)
    return bool(entries.flags.c_contiguous)


def refresh(looking: Tracer, root: Tracer) -> None:
    """Look again: the root was written since."""
    current = root.snapshot()
    for op, params in looking._recipe:
        current = op(current, **params)
    looking._position, looking._seen = current.index, root._version


def write(target: Tracer, place: Place, value: Tracer) -> None:
    """Write a value of the place's shape into a root or a view."""
    root = target._root
    if root is None:
        return _write_root(target, place, value)
    where = np.arange(root.size).reshape(root.shape)
    for op, params in target._recipe:
        if op is p.broadcast:
            raise TracingError("a broadcast array is read-only; copy it before writing")
        where = op.evaluate(where, **params)
    inside = where.reshape(-1)[place.array] if isinstance(place, Static) else where[as_index(place)]
    if inside.ndim == 0:
        spot = tuple(int(part) for part in np.unravel_index(int(inside), root.shape))
        return _write_root(root, spot, value)
    return _write_root(root, Static(inside), value)


def _write_root(root: Tracer, place: Place, value: Tracer) -> None:
    if root.outside:
        raise TracingError(
            "f writes into an array that was made outside of it; pass it as an argument, or copy it inside f first"
        )
    if value.level > root.level:
        raise TracingError("a derivative inside f writes into an array of f; return the values instead")
    value = root.recorder.tracer(root.recorder.lift(value))
    if root._pending is None:
        root._pending, root._written = {}, np.zeros(root.shape, dtype=bool)
    if place not in root._pending:
        if _at(root._written, place).any():
            flush(root)
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


def pending_read(root: Tracer, place: Place) -> Any:
    """What a read at a place gives without carrying out the pending writes; None if it needs them."""
    if not root._pending:
        return None
    if place in root._pending:
        return root._pending[place].snapshot()
    if not _at(root._written, place).any():
        return p.index(root.recorder.tracer(root._position), place=place)
    return None


def flush(root: Tracer) -> None:
    """Carry out the pending writes of a root: one scatter, over what was there before."""
    pending, mask = root._pending or {}, root._written
    root._pending, root._written = None, None
    if not pending:
        return
    before = root.recorder.tracer(root._position)
    places, pieces = tuple(pending), list(pending.values())
    made = p.scatter(*pieces, shape=root.shape, places=places)
    step = root.recorder.steps[root._position]
    blank = step.op is CONSTANT and not step.params["value"].any()
    if not blank and not covering(root.shape, places):
        made = p.where(root.recorder.constant(mask), made, before)
    root._position = made.index
