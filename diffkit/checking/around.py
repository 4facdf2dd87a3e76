"""f around one point, called as it is: untraced, on copies, as a function of one flat vector."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit import trees
from diffkit.differentiators.arguments import take
from diffkit.errors import InputError
from diffkit.expressions import as_callable
from diffkit.tracing import call_function

RATIO = 4.0  # of two step sizes; a power of two keeps x + h exact
LARGEST = 0.25  # step size, relative to max(1, |x|)
FINEST = 0.8  # power of epsilon: below that, rounding is all there is
OUTSIDE = (
    ArithmeticError,
    AssertionError,
    LookupError,
    TypeError,
    ValueError,
    Warning,
)  # raised where f is not defined
SUBNORMAL = 5e-324  # the least positive float64
SMALLEST = 1e-300  # step size: below, numbers lose digits


@dataclass(frozen=True)
class Line:
    """The values of f on a line through x, on both sides, at step sizes that shrink by `RATIO`.

    Attributes
    ----------
    steps
        Step sizes h, ``(L,)``, the largest first.
    ahead, behind
        The values at ``x + h v`` and ``x - h v``, ``(L, B)``; NaN where f is not finite.
    here
        The value at x, ``(B,)``.
    noise
        How far rounding moves each of them, ``(L, B)``.
    """

    steps: Any
    ahead: Any
    behind: Any
    here: Any
    noise: Any


class Around:
    """f around x.

    Attributes
    ----------
    x
        All entries of the point, ``(A,)``.
    here
        The value at x, ``(B,)``.
    calls
        How often f was called.
    epsilon
        Of the coarsest dtype among those of x and of f's result.
    smallest
        Of the positive numbers of that dtype: the rounding of what underflows.
    sizes
        ``max(1, |x|)``, ``(A,)``.
    noise
        How far f's own rounding moves its value at x, ``(B,)``; see `diffkit.checking.noise`.
    """

    def __init__(self, f: Callable[..., Any], x: Any) -> None:
        self.f = as_callable(f)
        self.arrays, self.layout = take((x,), {}, (0,), single=True)
        self.x = trees.join(self.arrays).astype(float)
        if not np.isfinite(self.x).all():
            raise InputError(
                f"x has an entry {self.x[~np.isfinite(self.x)][0]}; a derivative is checked where x is finite"
            )
        self.calls = 1
        with np.errstate(all="ignore"):
            traced, values = call_function(self.f, self.arrays, self.layout.rebuild)
        self.like, self.structure = [np.asarray(value) for value in values], traced.structure
        self.here = trees.join(self.like).astype(float)
        dtypes = [array.dtype for array in (*self.arrays, *self.like)]
        self.epsilon = float(max([np.finfo(float).eps, *(np.finfo(dtype).eps for dtype in dtypes)]))
        self.smallest = float(max([SUBNORMAL, *(np.finfo(dtype).smallest_subnormal for dtype in dtypes)]))
        self.sizes = np.maximum(1.0, np.abs(self.x))
        self.noise = np.zeros(self.here.shape)

    def __call__(self, x: Any) -> Any:
        """The value of f at a vector (A,), as a vector (B,); NaN where f raises, or is not finite."""
        arrays = [
            piece.astype(array.dtype) for piece, array in zip(trees.split(x, self.arrays), self.arrays, strict=True)
        ]
        self.calls += 1
        try:
            with np.errstate(all="ignore"):
                _, values = call_function(self.f, arrays, self.layout.rebuild)
        except OUTSIDE:
            return np.full(self.here.shape, np.nan)
        shapes, expected = ([np.shape(leaf) for leaf in leaves] for leaves in (values, self.like))
        if shapes != expected:
            raise InputError(
                f"f returned shape {', '.join(map(str, shapes))} near x, but {', '.join(map(str, expected))} at x; "
                "its shape must not depend on values"
            )
        value = trees.join([np.asarray(leaf) for leaf in values]).astype(float)
        return np.where(np.isfinite(value), value, np.nan)

    def line(self, v: Any) -> Line:
        """Evaluate f along a direction whose largest entry is 1, or -1."""
        steps = self.steps(v)
        ahead, behind = (np.stack([self(self.x + sign * h * v) for h in steps]) for sign in (1.0, -1.0))
        rounding = np.fmax(self.epsilon / 2 * np.fmax(np.abs(ahead), np.abs(behind)), self.smallest)
        return Line(steps, ahead, behind, self.here, np.fmax(self.noise, np.nan_to_num(rounding)))

    def steps(self, v: Any) -> Any:
        """Step sizes along a direction, from a quarter of x's size down to where only rounding is left."""
        moving = v != 0
        size = float(np.max(self.sizes[moving], initial=1.0))
        own = np.abs(self.x[moving])
        fine = float(np.max(own, initial=0.0) or np.max(np.abs(self.x), initial=0.0) or 1.0)
        top = 2.0 ** math.ceil(math.log2(LARGEST * size / math.sqrt(max(1, moving.sum()))))
        bottom = max(self.epsilon**FINEST * fine, SMALLEST)
        return top / RATIO ** np.arange(max(3, 1 + math.ceil(math.log(top / bottom, RATIO))))
