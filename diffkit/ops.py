"""One op, one row: what an `Op` is, and the small helpers that every rule is written with.

An op has four meanings: its NumPy value, its SymPy meaning, its JVP and its VJP. The families
(`diffkit.primitives.families`) build all four from one derivative fact, so forward and reverse cannot disagree.

Shapes. A primal has some shape ``S``. A tangent or cotangent of it has shape ``S``, or ``(K, *S)``
when K directions travel together. Rules therefore count axes from the end, and only the helpers
`lead`, `align`, `widen` and `unbroadcast` know about K.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

Shape = tuple[int, ...]
Array = Any  # an ndarray or a tracer standing for one: rules are written for both


class Recorded:
    """What an op looks for among its operands: something that records instead of computing."""

    __slots__ = ()

    if TYPE_CHECKING:  # a tracer has an array's attributes; to a type checker it is anything an array may be

        def __getattr__(self, name: str) -> Any: ...

    def record(self, op: Op, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Append ``op`` to the trace that this operand belongs to."""
        raise TypeError(f"{type(self).__name__} cannot record {op.name}")


class Cost(NamedTuple):
    """What one evaluation of a step costs: how many scalar operations, of which kind."""

    kind: str
    amount: int


@dataclass(frozen=True, eq=False, slots=True)
class Op:
    """A primitive operation: one row of the table in `diffkit.primitives`.

    Attributes
    ----------
    name
        Unique in the table; how a graph prints it.
    family
        Which kind of derivative fact the row states.
    evaluate
        ``evaluate(*operands, **params)``, the NumPy value.
    infer
        ``infer(operands, params) -> (shape, dtype)`` from operands that have a shape and a dtype.
    jvp
        ``jvp(result, operands, tangents, params)``; a tangent is None where it is zero. None: derivative zero.
    vjp
        ``vjp(cotangent, result, operands, active, params)``; one contribution per operand, or None.
    symbolic
        ``symbolic(sympy, *object_arrays, **params)``, the SymPy meaning; None: a function of this name, if it is one
        of numbers.
    cost
        ``cost(result, operands, params)``, counted.
    numpy
        The NumPy function this row is the meaning of, if there is one.
    linear
        Moves or adds entries only: its VJP of a mask is again a mask.
    touches
        How much memory one evaluation goes through: "all" its operands and its result, as much of them as its result is
        large ("part"), or "none", because it is a view.
    """

    name: str
    family: str
    evaluate: Callable[..., Any]
    infer: Callable[[Sequence[Any], dict[str, Any]], tuple[Shape, np.dtype[Any]]]
    jvp: Callable[..., Any] | None = None
    vjp: Callable[..., Any] | None = None
    symbolic: Callable[..., Any] | None = None
    cost: Callable[..., Cost] = field(default=lambda result, _operands, _params: Cost("moved", size(result)))
    numpy: Any = None
    linear: bool = False
    touches: str = "all"

    def __call__(self, *operands: Any, **params: Any) -> Any:
        """Compute on arrays; record on tracers (the innermost trace records)."""
        recorder = None
        for operand in operands:
            if isinstance(operand, Recorded) and (recorder is None or operand.level > recorder.level):
                recorder = operand
        if recorder is None:
            return self.evaluate(*operands, **params)
        return recorder.record(self, operands, params)

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Piece:
    """A cotangent that belongs to a part of an operand only.

    Reverse mode collects the pieces of all reads of one operand into a single scatter, so that n scalar
    reads cost O(n), not O(n^2).
    """

    cotangent: Array
    place: Any
    shape: Shape


@dataclass(frozen=True, slots=True)
class Masked:
    """A cotangent together with the entries that can be other than zero.

    Behind ``where(x > 0, log(x), 0)`` the partial of the branch not taken may be infinite; 0 * inf would leak
    a NaN. Every product with a partial is therefore taken where the mask holds only.
    """

    cotangent: Array
    mask: Array


# ---------------------------------------------------------------- helpers that know about K


def size(x: Any) -> int:
    """Count the entries of anything with a shape."""
    return math.prod(x.shape)


def nbytes(x: Any) -> int:
    """Count the bytes of anything with a shape and a dtype."""
    return size(x) * int(x.dtype.itemsize)


def lead(direction: Array, primal: Array) -> Shape:
    """The leading direction axes of a tangent or cotangent: () or (K,)."""
    shape: Shape = direction.shape
    return shape[: len(shape) - len(primal.shape)]


def align(tangent: Array, operand: Array, result: Array) -> Array:
    """Let ``(K, *operand)`` broadcast against ``result``: ones go between K and the operand's axes."""
    front, missing = lead(tangent, operand), len(result.shape) - len(operand.shape)
    if not front or not missing:
        return tangent
    return np.reshape(tangent, front + (1,) * missing + operand.shape)


def widen(tangent: Array, result: Array, front: Shape) -> Array:
    """Broadcast a tangent that some operands left narrow to ``(K, *result)``."""
    shape = front + result.shape
    return tangent if tangent.shape == shape else np.broadcast_to(tangent, shape)


def unbroadcast(cotangent: Array, operand: Array, front: Shape) -> Array:
    """Sum a cotangent of the broadcast result over the axes along which the operand was repeated."""
    shape = front + operand.shape
    if cotangent.shape == shape:
        return cotangent
    extra = len(cotangent.shape) - len(shape)
    ones = [axis for axis in range(-len(operand.shape), 0) if operand.shape[axis] == 1 != cotangent.shape[axis]]
    new = [axis - len(operand.shape) for axis in range(-extra, 0)]
    summed = np.sum(cotangent, axis=tuple(new + ones)) if new or ones else cotangent
    return summed if summed.shape == shape else np.reshape(summed, shape)


def scale(cotangent: Array | Masked, partial: Any) -> Array:
    """The one product of a cotangent with a partial: under its mask where it has one."""
    if isinstance(cotangent, Masked):
        if is_number(partial):
            return cotangent.cotangent if partial == 1 else cotangent.cotangent * partial
        return np.where(cotangent.mask, cotangent.cotangent * partial, 0.0)
    return cotangent if is_number(partial) and partial == 1 else cotangent * partial


def is_number(value: Any) -> bool:
    """Whether a partial is a plain Python number, known while the rule runs."""
    return isinstance(value, (int, float))


def add_up(terms: Iterable[Array | None]) -> Array | None:
    """Sum what is there; None when nothing is."""
    total = None
    for term in terms:
        if term is not None:
            total = term if total is None else total + term
    return total


# ---------------------------------------------------------------- static shapes and dtypes


@functools.lru_cache(maxsize=4096)
def broadcast_shapes(*shapes: Shape) -> Shape:
    """Broadcast shapes as NumPy does (a ValueError of NumPy's where they do not fit)."""
    return np.broadcast_shapes(*shapes)


@functools.lru_cache(maxsize=4096)
def ufunc_dtype(ufunc: np.ufunc, *dtypes: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype a ufunc gives for operands of these dtypes."""
    return ufunc.resolve_dtypes((*dtypes, None))[-1]


class Static:
    """An array known when tracing (positions, masks), compared and hashed by its content."""

    __slots__ = ("_hash", "array")

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = np.asarray(array, order="C")  # unlike ascontiguousarray, keeps a shape of ()
        self.array.flags.writeable = False
        self._hash = hash((self.array.shape, self.array.dtype.str, self.array.tobytes()))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and self._hash == other._hash and np.array_equal(self.array, other.array)

    def __repr__(self) -> str:
        return f"<{'x'.join(map(str, self.array.shape)) or 'scalar'} positions>"


class Span(NamedTuple):
    """A slice with everything explicit (a ``slice`` cannot be hashed before Python 3.12)."""

    start: int
    stop: int | None
    step: int
    length: int

    def __repr__(self) -> str:
        text = f"{self.start or ''}:{'' if self.stop is None else self.stop}"
        return text if self.step == 1 else f"{text}:{self.step}"


Where = tuple[int | Span, ...]  # a basic index that names every axis


@functools.lru_cache(maxsize=8192)
def as_index(where: Where) -> tuple[Any, ...]:
    """The NumPy index of a place, behind any number of leading axes."""
    return (
        ...,
        *(part if isinstance(part, int) else slice(part.start, part.stop, part.step) for part in where),
    )


def where_shape(where: Where) -> Shape:
    """The shape that a basic index reads."""
    return tuple(part.length for part in where if not isinstance(part, int))
