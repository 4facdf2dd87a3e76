"""f at the neighbours of one point, and the derivatives that their differences give."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit import trees
from diffkit.analytic import evaluate as evaluate_complex
from diffkit.differentiators.differences import POWERS, Differences
from diffkit.differentiators.programs import Branch, check_dense
from diffkit.errors import InputError, UnsupportedError

if TYPE_CHECKING:
    from diffkit.differentiators.derivative import Derivative
    from diffkit.differentiators.finite import FiniteDifference

COMPLEX_STEP = 1e-30
Function = Callable[[Any], Any]


class DomainWarning(UserWarning):
    """A side on which f is not finite, or which is out of bounds, was left out."""


class Point:
    """f around one point, as a function of one flat vector."""

    def __init__(self, method: FiniteDifference, derivative: Derivative, branch: Branch, arrays: Sequence[Any]) -> None:
        self.method, self.derivative, self.branch, self.arrays = method, derivative, branch, arrays
        self.flags = derivative.layout.wanted
        self.specs = [spec for spec, flag in zip(derivative.layout.specs, self.flags, strict=True) if flag]
        self.like = branch.traced.leaves
        self.dtype = np.result_type(*[leaf.dtype for leaf in self.like])
        self.x = trees.join([array for array, flag in zip(arrays, self.flags, strict=True) if flag])
        self.one_sided: set[int] = set()
        traced = branch.traced.graph is not None
        self._value = derivative.ready(branch, "value").run if traced else None

    def report(self) -> None:
        """Say which sides were left out."""
        if not self.one_sided:
            return
        spots = sorted(self.one_sided)
        listed = ", ".join(map(str, spots[:8])) + (", ..." if len(spots) > 8 else "")
        warnings.warn(
            f"f is not finite, or out of bounds, on one side of input {listed}; one-sided differences are used there",
            DomainWarning,
            stacklevel=2,
        )

    # ------------------------------------------------------------ f of a flat vector

    def _whole(self, x: Any) -> list[Any]:
        """All arrays, with the wanted ones taken from a vector."""
        if len(self.specs) == 1:
            arrays = list(self.arrays)
            arrays[self.flags.index(True)] = x.reshape(self.specs[0].shape)
            return arrays
        supply = iter(trees.split(x, self.specs))
        return [next(supply) if flag else array for array, flag in zip(self.arrays, self.flags, strict=True)]

    def results(self) -> tuple[list[Any], list[Any]]:
        """The leaves of f's result here, and those of its extra result."""
        found = self.derivative.find("value", self.arrays)[1]
        return list(found[: len(self.like)]), list(found[len(self.like) :])

    def function(self, x: Any) -> Any:
        """The value of f of the wanted entries, as a vector (B,)."""
        arrays = self._whole(x)
        found = self._value(*arrays) if self._value else None  # on the branch of the point, where f stays on it
        if found is not None:
            return trees.join(found[: len(self.like)])
        branch, found = self.derivative.find("value", arrays)
        found = found[: len(self.like)]
        if branch.traced.graph is not None:  # its shapes are known
            return trees.join(found)
        shapes, expected = ([tuple(np.shape(leaf)) for leaf in leaves] for leaves in (found, self.like))
        if shapes != expected:
            raise InputError(
                f"f returned shape {', '.join(map(str, shapes))} near x, but {', '.join(map(str, expected))} at x; "
                "its shape must not depend on values"
            )
        return trees.join(found)

    def complex_function(self, z: Any) -> Any:
        """The value of f on complex numbers: by its graph, or as a black box."""
        inputs, graph = self._whole(z), self.branch.traced.graph
        if graph is None:
            return self._black_box(inputs)
        found = evaluate_complex(graph, inputs) if self.branch.holds() else None
        if found is None:  # f takes another branch here
            self.branch, _ = self.derivative.find("value", self._whole(z.real))
            return self.complex_function(z)
        return trees.join(found[: len(self.like)])

    def _black_box(self, inputs: list[Any]) -> Any:
        args, kwargs = self.derivative.layout.rebuild(inputs)
        try:
            with warnings.catch_warnings():  # a part that is cast away must not go unseen
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                result = self.derivative.function(*args, **kwargs)
        except (TypeError, np.exceptions.ComplexWarning) as error:
            raise UnsupportedError(f"f does not take complex numbers ({error}); use scheme='central'") from error
        leaves, _ = trees.flatten(result[0] if self.derivative.has_aux else result)
        return trees.join([np.asarray(leaf) for leaf in leaves])

    # ------------------------------------------------------------ products

    def as_inputs(self, row: Any) -> list[Any]:
        """A vector (A,) as leaves."""
        return trees.split(row, self.specs)

    def as_results(self, column: Any) -> list[Any]:
        """A vector (B,) as leaves."""
        return trees.split(column, self.like)

    def jacobian(self) -> Any:
        """The Jacobian ``(B, A)``."""
        check_dense(self.derivative.outputs, self.x.size)
        return self._jacobian(self.x).astype(self.dtype, copy=False)

    def error(self) -> Any:
        """An estimate of the error of each entry of the Jacobian."""
        if self.method.scheme != "richardson":
            raise UnsupportedError(f"scheme={self.method.scheme!r} estimates no error; use scheme='richardson'")
        return self._differences(self.function, self.x, "richardson").columns()[1]

    def along(self, v: Any) -> Any:
        """J v, by a difference along v."""
        if self.method.scheme != "complex-step":
            found = self._slope(self.function, v, self.method.scheme)
        else:
            step = self.method.step_size or COMPLEX_STEP
            found = np.imag(self.complex_function(self.x + 1j * step * v)) / step
            self._cross_check(found, v)
        return found.astype(self.dtype, copy=False)

    def hessian(self) -> Any:
        """Differences of the gradient, made symmetric."""
        check_dense(self.x.size, self.x.size)
        found, _ = self._differences(self._gradient, self.x, "central", second=True).columns()
        return ((found + found.T) / 2).astype(self.dtype, copy=False)

    def hessian_along(self, v: Any) -> Any:
        """H v, by a difference of gradients along v."""
        return self._slope(self._gradient, v, "central", second=True).astype(self.dtype, copy=False)

    # ------------------------------------------------------------ differences

    def _jacobian(self, x: Any, *, second: bool = False) -> Any:
        if self.method.scheme != "complex-step":
            return self._differences(self.function, x, self.method.scheme, second=second).columns()[0]
        step, z = self.method.step_size or COMPLEX_STEP, x.astype(np.complex128)
        found = np.zeros((self.derivative.outputs, x.size))
        for j in range(x.size):
            z[j] = complex(x[j], step)
            found[:, j] = np.imag(self.complex_function(z)) / step
            z[j] = x[j]
        v = np.cos(np.arange(x.size))
        self._cross_check(found @ v, v)
        return found

    def _gradient(self, x: Any) -> Any:
        return self._jacobian(x, second=True)[0]

    def _differences(self, f: Function, x: Any, scheme: str, *, second: bool = False) -> Differences:
        size = self._step_size(scheme, second=second) * np.maximum(1.0, np.abs(x))
        low, high = self._bounds()
        return Differences(f, x, (x + size) - x, scheme, low, high, self.one_sided)

    def _slope(self, f: Function, v: Any, scheme: str, *, second: bool = False) -> Any:
        """The derivative of f along v, which is the derivative of a function of one number."""
        length = float(np.max(np.abs(v), initial=0.0))
        if length == 0.0:
            return np.zeros_like(f(self.x))
        x, unit, (low, high) = self.x, v / length, self._bounds()
        moving = unit != 0
        edges = np.where(unit > 0, high, low), np.where(unit > 0, low, high)
        last, first = ((edge - x)[moving] / unit[moving] for edge in edges)
        if last.min() <= 0 <= first.max():  # a corner: there is no room along v, but along each axis
            return self._differences(f, x, scheme, second=second).columns()[0] @ v
        size = self._step_size(scheme, second=second) * max(1.0, float(np.max(np.abs(x))))
        least = 1e3 * np.finfo(x.dtype).eps * float(np.max(np.abs(x[moving])))

        def along(t: Any) -> Any:
            if 0 < abs(t[0]) < least:
                raise ArithmeticError("a move that is lost in rounding")
            return f(np.clip(x + t[0] * unit, low, high))

        line = Differences(
            along,
            np.zeros(1, x.dtype),
            np.array([size], x.dtype),
            scheme,
            np.array([first.max()]),
            np.array([last.min()]),
        )
        found = line.columns()[0][:, 0]
        self.one_sided.update(np.flatnonzero(moving).tolist() if line.one_sided else ())
        return found * length

    def _step_size(self, scheme: str, *, second: bool) -> float:
        if self.method.step_size is not None:
            return float(self.method.step_size)
        if scheme == "richardson":
            return 0.1
        exact_gradient = self.method.scheme == "complex-step"
        power = 1 / 4 if second and not exact_gradient else POWERS[scheme]
        return float(np.finfo(self.dtype).eps ** power)

    def _bounds(self) -> tuple[Any, Any]:
        low, high = self.method.bounds or (-np.inf, np.inf)
        sides = [np.ravel(np.asarray(side, dtype=float)) for side in (low, high)]
        for side in sides:
            if side.size not in (1, self.x.size):
                raise InputError(
                    f"bounds of {side.size} entries, but f has {self.x.size} inputs; give a number, or one per input"
                )
        return np.broadcast_to(sides[0], self.x.shape), np.broadcast_to(sides[1], self.x.shape)

    def _cross_check(self, found: Any, v: Any) -> None:
        """A black box may use abs or norm, which a complex step silently takes for constants."""
        if self.branch.traced.graph is not None:
            return
        slope = self._slope(self.function, v, "central")
        scale = max(float(np.max(np.abs(part), initial=0.0)) for part in (found, slope))
        if not np.allclose(found, slope, rtol=1e-3, atol=1e-3 * scale, equal_nan=True):
            raise UnsupportedError(
                "the complex step disagrees with a central difference: f is a black box that is not analytic (abs, "
                "norm, comparisons); use scheme='central'"
            )
