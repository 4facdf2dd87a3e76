"""The flat results of a program, put together as the caller expects them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit import trees
from diffkit.differentiators.arguments import Layout
from diffkit.differentiators.programs import MATRICES
from diffkit.tracing import Traced


def assemble(layout: Layout, traced: Traced, product: str, found: Sequence[Any]) -> Any:
    """One product: f's result and its derivatives in their containers, the extra result of ``has_aux`` beside them."""
    results, inputs = len(traced.leaves), sum(layout.wanted)
    parts: tuple[Any, ...]
    if product in MATRICES:
        used = 1
        parts = (found[0],)
    elif product in ("value", "jvp"):
        parts, used = (_built(traced.structure.unflatten, found[:results]),), results
    elif product == "value_and_gradient":
        value, gradient = found[:results], found[results : results + inputs]
        parts = (_built(traced.structure.unflatten, value), _built(layout.like_wanted, gradient))
        used = results + inputs
    else:
        parts, used = (_built(layout.like_wanted, found[:inputs]),), inputs
    if traced.extra is not None:
        parts = (*parts, _built(traced.extra.unflatten, found[used:]))
    return parts if len(parts) > 1 else parts[0]


def _built(put_together: Any, leaves: Sequence[Any]) -> Any:
    """Leaves in their containers; a number for a 0-d array."""
    return put_together([leaf[()] if isinstance(leaf, np.ndarray) and leaf.ndim == 0 else leaf for leaf in leaves])


def blocks(layout: Layout, traced: Traced, matrix: Any) -> Any:
    """A Jacobian cut into a block per leaf of the result and of x, in their containers."""
    specs = [spec for spec, flag in zip(layout.specs, layout.wanted, strict=True) if flag]
    rows, start = [], 0
    for leaf in traced.leaves:
        stop = start + trees.total_size([leaf])
        cut = zip(trees.split(matrix[start:stop], specs), specs, strict=True)
        rows.append(layout.like_wanted([part.reshape((*leaf.shape, *spec.shape)) for part, spec in cut]))
        start = stop
    return traced.structure.unflatten(rows)
