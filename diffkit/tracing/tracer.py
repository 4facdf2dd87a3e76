"""The stand-in for an array while f is traced: it records what NumPy would compute.

Two classes, because NumPy asks objects what they are: a number, `Tracer`, has neither ``__array__`` nor ``__len__``
nor ``__getitem__``, so that ``np.array([t0, t1])`` holds it as an object; an array (`diffkit.tracing.array_tracer`) has
all three. Arrays can be written in place, as NumPy's can (`diffkit.tracing.memory`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.ops import Op, Recorded, Shape
from diffkit.primitives.moving import Place
from diffkit.tracing.memory import flush, refresh
from diffkit.tracing.trace import VARYING, Trace

LOWERINGS: dict[Any, Callable[..., Any]] = {}
"""What a NumPy (or SciPy) function becomes on traced arrays; filled by `diffkit.tracing.lowering`."""

UFUNC_METHODS: dict[tuple[str, str], Callable[..., Any]] = {}
"""What a ufunc's method becomes, by (ufunc name, method name)."""


def lowers(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register what NumPy functions become on traced arrays."""

    def register(lowering: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            LOWERINGS[function] = lowering
        return lowering

    return register


class Tracer(Recorded):
    """A traced number (0-d), and what all tracers share."""

    __slots__ = (
        "_made", "_pending", "_position", "_recipe", "_root", "_seen", "_version", "_written", "outside", "recorder",
    )  # fmt: skip

    def __init__(self, trace: Trace, position: int) -> None:
        self.recorder = trace
        self._position = self._made = position  # the step it stands for now; the one that allocated it
        self._root: Tracer | None = None  # whose memory this views
        self._recipe: tuple[tuple[Op, dict[str, Any]], ...] = ()
        self._version = 0  # of the root: how often it was written
        self._seen = 0  # of a view: the root's version when it last looked
        self._pending: dict[Place, Any] | None = None
        self._written: Any = None
        self.outside = False  # stands for an array that was made outside of f, which f must not write into

    # ------------------------------------------------------------ what it stands for

    @property
    def index(self) -> int:
        """The step that this tracer stands for now."""
        root = self._root
        if root is None:
            if self._pending:
                flush(self)
        elif root._version != self._seen:
            refresh(self, root)
        return self._position

    @property
    def level(self) -> int:
        """How deep the trace is nested."""
        return self.recorder.level

    @property
    def shape(self) -> Shape:
        """As of an array."""
        return self.recorder.steps[self._position].shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """As of an array."""
        return self.recorder.steps[self._position].dtype

    @property
    def ndim(self) -> int:
        """As of an array."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """As of an array."""
        size = 1
        for length in self.shape:
            size *= length
        return size

    @property
    def varies(self) -> bool:
        """Whether the value depends on an input."""
        return self.recorder.variance[self.index] == VARYING

    def snapshot(self) -> Tracer:
        """A tracer of the present value, which later writes do not change."""
        return self.recorder.tracer(self.index)

    def as_array(self) -> Tracer:
        """The present value as an array that can be written into, also without axes."""
        from diffkit.tracing.array_tracer import ArrayTracer

        return ArrayTracer(self.recorder, self.index)

    def record(self, op: Op, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Append a step to this tracer's trace."""
        return self.recorder.record(op, operands, params)

    def decide(self) -> Any:
        """The value at the point of tracing, guarded: f is about to act upon it."""
        return self.recorder.decide(self.index)

    def concrete(self) -> Any:
        """The value as a plain array, where it does not depend on an input."""
        if self.varies:
            raise TracingError(
                f"a plain array or number is needed where f has a traced value of shape {self.shape}; "
                "keep it traced: use NumPy functions on it (np.sin, not math.sin), no float(), "
                "and NumPy arrays made inside f"
            )
        return self.decide()

    # ------------------------------------------------------------ NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Record a ufunc."""
        from diffkit.tracing.dispatch import call_ufunc

        return call_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, _types: Any, args: Any, kwargs: Any) -> Any:
        """Record a NumPy function."""
        from diffkit.tracing.dispatch import call_function

        return call_function(function, args, kwargs)

    # ------------------------------------------------------------ Python's protocols

    def __bool__(self) -> bool:
        if self.size != 1:
            raise TracingError(
                f"the truth of a traced array of shape {self.shape} is ambiguous; use np.where, .any() or .all()"
            )
        return bool(p.not_equal(self, 0).decide() if self.dtype != bool else self.decide())

    def __int__(self) -> int:
        return int(self.decide() if self.dtype.kind in "iub" else p.trunc(self).decide())

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise TracingError(f"a traced {self.dtype} cannot be an index; use int(...) if it is meant to be one")
        return int(self.decide())

    def __float__(self) -> float:
        if self.varies:
            raise TracingError(
                "a traced value is turned into a plain number, by float(), a library, or storing it into a plain array"
                "; drop float(), use NumPy's functions, and make the array inside f with np.zeros, or copy it there "
                "with np.array"
            )
        return float(self.decide())

    def __complex__(self) -> complex:
        raise TracingError("a traced value cannot become complex; split f into real and imaginary parts")

    def __hash__(self) -> int:
        raise TracingError(
            "a traced value cannot be a key of a dict or a member of a set, which compare for equality at once; "
            "use a list, or int(...) where it is a whole number"
        )

    def __neg__(self) -> Any:
        return p.negative(self)

    def __pos__(self) -> Any:
        return self.snapshot()

    def __abs__(self) -> Any:
        return p.absolute(self)

    def __invert__(self) -> Any:
        return np.invert(self)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __round__(self, digits: int | None = None) -> Any:
        return p.rint(self).astype(int) if digits is None else np.round(self, digits)

    def __floor__(self) -> Any:
        return p.floor(self).astype(int)

    def __ceil__(self) -> Any:
        return p.ceil(self).astype(int)

    def __trunc__(self) -> Any:
        return p.trunc(self).astype(int)

    def __repr__(self) -> str:
        return f"<traced {self.dtype} {self.shape}>"

    def __format__(self, spec: str) -> str:
        return repr(self)

    # ------------------------------------------------------------ attributes and methods of arrays

    @property
    def T(self) -> Any:  # noqa: N802 - NumPy's name
        """As of an array."""
        return np.transpose(self)

    @property
    def real(self) -> Any:
        """As of an array: diffkit's are real."""
        return self

    @property
    def imag(self) -> Any:
        """As of an array: diffkit's are real."""
        return np.zeros_like(self)

    @property
    def nbytes(self) -> int:
        """As of an array."""
        return self.size * self.itemsize

    @property
    def itemsize(self) -> int:
        """As of an array."""
        return self.dtype.itemsize

    def item(self, *position: Any) -> Any:
        """One entry, still traced."""
        if position:
            array: Any = self
            one = position[0] if len(position) == 1 else position
            return array[one] if isinstance(one, tuple) else np.ravel(array)[one]
        if self.size != 1:
            raise TracingError(f"item() needs one entry; the traced array has shape {self.shape}")
        return np.reshape(self, ())

    def copy(self, order: str = "C") -> Tracer:
        """As of an array: its entries lie in C order then, which a reshape to the same shape stands for."""
        return p.reshape(self, shape=self.shape) if order == "C" and self.ndim > 1 else self.snapshot()

    def __copy__(self) -> Tracer:
        return self.snapshot()

    def __deepcopy__(self, _memo: Any) -> Tracer:
        return self.snapshot()

    def astype(self, dtype: Any, **_options: Any) -> Any:
        """As of an array; whole numbers are cut off and have derivative zero."""
        target = np.dtype(dtype)
        if target.kind == "c":
            raise TracingError("a traced value cannot become complex; split f into real and imaginary parts")
        if target.kind == "O" or target == self.dtype:
            return self.snapshot()
        if target.kind == "b":
            return p.not_equal(self, 0)
        cut = p.trunc(self) if target.kind in "iu" and self.dtype.kind == "f" else self
        return p.convert(cut, dtype=target)

    def conjugate(self) -> Tracer:
        """As of an array: diffkit's are real."""
        return self

    conj = conjugate
