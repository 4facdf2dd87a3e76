"""Finite differences: f at neighbouring points, and nothing else.

"Great for testing, slow for high dimensions": one or two evaluations of f per input, and errors of truncation and
rounding that no step size removes. Press et al. (2007), "Numerical Recipes", section 5.7; Squire and Trapp (1998)
for the complex step; Ridders (1982) for the extrapolation.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from diffkit import trees
from diffkit.analytic import evaluate as evaluate_complex
from diffkit.differentiators.base import Differentiator
from diffkit.differentiators.derivative import Derivative
from diffkit.differentiators.programs import Branch, Program
from diffkit.differentiators.programs import check_dense
from diffkit.engines import engine as find_engine
from diffkit.errors import InputError, UnknownNameError, UnsupportedError
from diffkit.simplify import simplify
from diffkit.tracing import call_function

SCHEMES = ("central", "forward", "complex-step", "richardson")
COMPLEX_STEP = 1e-30
LEVELS = 10  # of the extrapolation
Function = Callable[[Any], Any]


class DomainWarning(UserWarning):
    """A side on which f is not finite was left out."""


@dataclass(frozen=True, kw_only=True)
class FiniteDifference(Differentiator):
    """Finite differences: approximate; one Jacobian costs A to 2 A evaluations of f.

    Calls black boxes too: f need not be traceable.

    Parameters
    ----------
    engine
        How f itself is evaluated, where it can be traced.
    scheme
        "central" (error O(h^2), 2 A calls), "forward" (O(h), A + 1 calls), "complex-step" (no rounding error; f must
        be analytic; A calls), "richardson" (extrapolated central differences with an error estimate, up to 20 A calls).
    step_size
        Relative to ``max(1, |x|)``, a number for all inputs; by default the best power of the dtype's epsilon.
    bounds
        ``(low, high)``: f is never evaluated outside; one-sided differences are used at an edge.

    Examples
    --------
    >>> import numpy as np
    >>> from diffkit import FiniteDifference
    >>> FiniteDifference(scheme="complex-step").prepare(np.sin, 0.0).run(0.0)
    array([[1.]])
    """

    name: ClassVar[str] = "finite-difference"
    exact: ClassVar[bool] = False
    scheme: str = "central"
    step_size: float | None = None
    bounds: tuple[Any, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scheme not in SCHEMES:
            raise UnknownNameError(self.scheme, SCHEMES, kind="scheme")
        if self.step_size is not None and not (np.isfinite(self.step_size) and self.step_size > 0):
            raise InputError(
                f"step_size={self.step_size}; it must be a positive number, relative to max(1, |x|)"
            )
        if self.bounds is not None and np.any(np.asarray(self.bounds[0]) >= np.asarray(self.bounds[1])):
            raise InputError(f"bounds={self.bounds}; each low must be below its high")

    @property
    def traces(self) -> bool:
        """A black box will do."""
        return False

    def sweeps(self, inputs: int, outputs: int) -> int:
        """Evaluations of f."""
        return {
            "central": 2 * inputs,
            "forward": inputs + 1,
            "complex-step": inputs,
            "richardson": 2 * LEVELS * inputs,
        }[self.scheme]

    # ------------------------------------------------------------ programs

    def program(self, derivative: Derivative, branch: Branch, product: str) -> Program:
        """Make a product ready: f as it is, and a loop around it."""
        if product == "value":
            return self._value(derivative, branch)
        point = _Point(self, derivative)
        calls = self._calls(product, derivative)
        make = {
            "gradient": lambda arrays: point.wanted(point.jacobian(arrays)[0]),
            "value_and_gradient": lambda arrays: [
                *point.leaves(arrays),
                *point.wanted(point.jacobian(arrays)[0]),
            ],
            "jacobian": lambda arrays: [point.jacobian(arrays)],
            "error": lambda arrays: [point.error(arrays)],
            "jvp": lambda arrays: point.results(
                point.along(arrays[: point.count], trees.join(arrays[point.count :]))
            ),
            "vjp": lambda arrays: point.wanted(
                trees.join(arrays[point.count :]) @ point.jacobian(arrays[: point.count])
            ),
            "hessian": lambda arrays: [point.hessian(arrays)],
            "hvp": lambda arrays: point.wanted(
                point.hessian_along(arrays[: point.count], trees.join(arrays[point.count :]))
            ),
        }[product]

        def run(*arrays: Any) -> tuple[Any, ...]:
            found = make(arrays)
            return (*found, *point.extra(arrays[: point.count])) if derivative.has_aux else tuple(found)

        graph = branch.traced.graph
        return Program(run, operations=graph.operations * calls if graph else None, calls=calls)

    def _value(self, derivative: Derivative, branch: Branch) -> Program:
        graph = branch.traced.graph
        if graph is not None:
            small = simplify(graph)
            made = find_engine(self.engine).compile(small)
            return Program(made.run, small, made.source, small.operations)

        def run(*arrays: Any) -> tuple[Any, ...]:
            return call_function(
                derivative.function, arrays, derivative.layout.rebuild, has_aux=derivative.has_aux
            )[1]

        return Program(run, calls=1)

    def _calls(self, product: str, derivative: Derivative) -> int:
        inputs = derivative.inputs
        jacobian = self.sweeps(inputs, derivative.outputs)
        one = self.sweeps(1, 1)
        return {
            "jvp": one,
            "hessian": inputs * 2 * inputs if self.scheme == "complex-step" else 2 * inputs**2 + 1,
            "hvp": 2 * jacobian,
            "value_and_gradient": jacobian + 1,
        }.get(product, jacobian)


class _Point:
    """f as a function of one flat vector, and its differences."""

    def __init__(self, method: FiniteDifference, derivative: Derivative) -> None:
        self.method, self.derivative = method, derivative
        self.count = len(derivative.layout.specs)
        self.flags = derivative.layout.wanted
        self.specs = [spec for spec, flag in zip(derivative.layout.specs, self.flags, strict=True) if flag]
        self.like = derivative.result_leaves()
        self.dtype = np.result_type(*[leaf.dtype for leaf in self.like])
        self.epsilon = float(np.finfo(self.dtype).eps)

    # ------------------------------------------------------------ f of a flat vector

    def flat(self, arrays: Sequence[Any]) -> Any:
        """The wanted arrays as one vector (A,)."""
        return trees.join([array for array, flag in zip(arrays, self.flags, strict=True) if flag])

    def whole(self, arrays: Sequence[Any], x: Any) -> list[Any]:
        """All arrays, with the wanted ones taken from a vector."""
        supply = iter(trees.split(x, self.specs))
        return [next(supply) if flag else array for array, flag in zip(arrays, self.flags, strict=True)]

    def leaves(self, arrays: Sequence[Any]) -> list[Any]:
        """The leaves of f's result."""
        return list(self.derivative.find("value", arrays)[1][: len(self.like)])

    def extra(self, arrays: Sequence[Any]) -> list[Any]:
        """The extra results of f."""
        return list(self.derivative.find("value", arrays)[1][len(self.like) :])

    def function(self, arrays: Sequence[Any]) -> Function:
        """F of the wanted entries, as a vector (B,)."""

        def f(x: Any) -> Any:
            found = self.leaves(self.whole(arrays, x))
            if [np.shape(leaf) for leaf in found] != [tuple(leaf.shape) for leaf in self.like]:
                raise InputError(
                    f"f returned shape {', '.join(str(np.shape(leaf)) for leaf in found)} near x, but "
                    f"{', '.join(str(tuple(leaf.shape)) for leaf in self.like)} at x; its shape must not depend on values"
                )
            return trees.join(found)

        return f

    def complex_function(self, arrays: Sequence[Any]) -> Function:
        """F on complex numbers: by its graph, or as a black box."""

        def f(z: Any) -> Any:
            branch, _ = self.derivative.find("value", self.whole(arrays, z.real))
            inputs = self.whole(arrays, z)
            graph = branch.traced.graph
            if graph is not None:
                found = evaluate_complex(graph, inputs)
                assert found is not None  # the branch was chosen at the same real parts
                return trees.join(found[: len(self.like)])
            return self._black_box(inputs)

        return f

    def _black_box(self, inputs: list[Any]) -> Any:
        args, kwargs = self.derivative.layout.rebuild(inputs)
        try:
            result = self.derivative.function(*args, **kwargs)
        except TypeError as error:
            raise UnsupportedError(
                f"f does not take complex numbers ({error}); use scheme='central'"
            ) from error
        leaves, _ = trees.flatten(result[0] if self.derivative.has_aux else result)
        return trees.join([np.asarray(leaf) for leaf in leaves])

    # ------------------------------------------------------------ products

    def wanted(self, row: Any) -> list[Any]:
        """A vector (A,) as leaves."""
        return trees.split(row, self.specs)

    def results(self, column: Any) -> list[Any]:
        """A vector (B,) as leaves."""
        return trees.split(column, self.like)

    def steps(self, x: Any, power: float) -> Any:
        """Absolute step sizes, exactly representable around x."""
        relative = self.method.step_size or self.epsilon**power
        size = relative * np.maximum(1.0, np.abs(x))
        return (x + size) - x

    def jacobian(self, arrays: Sequence[Any]) -> Any:
        """The Jacobian, column by column."""
        return self._columns(arrays)[0]

    def error(self, arrays: Sequence[Any]) -> Any:
        """An estimate of the error of each entry."""
        if self.method.scheme != "richardson":
            raise UnsupportedError("only scheme='richardson' estimates its own error")
        return self._columns(arrays)[1]

    def _columns(self, arrays: Sequence[Any]) -> tuple[Any, Any]:
        arrays = arrays[: self.count]
        x = self.flat(arrays)
        check_dense(self.derivative.outputs, x.size)
        if self.method.scheme == "complex-step":
            return self._complex_columns(arrays, x), None
        return _Differences(self, self.function(arrays), x).columns()

    def _complex_columns(self, arrays: Sequence[Any], x: Any) -> Any:
        f, step = self.complex_function(arrays), self.method.step_size or COMPLEX_STEP
        columns = []
        z = x.astype(np.complex128)
        for j in range(x.size):
            z[j] = complex(x[j], step)
            columns.append(np.imag(f(z)) / step)
            z[j] = x[j]
        found = np.stack(columns, axis=1) if columns else np.zeros((self.derivative.outputs, 0))
        if self.derivative.function_graph is None:
            self._cross_check(arrays, x, found)
        return found.astype(self.dtype, copy=False)

    def _cross_check(self, arrays: Sequence[Any], x: Any, found: Any) -> None:
        """A black box may use abs or norm, which a complex step silently takes for constants."""
        v = np.cos(np.arange(x.size))
        h = self.epsilon ** (1 / 3) * max(1.0, float(np.max(np.abs(x), initial=0.0)))
        f = self.function(arrays)
        slope = (f(x + h * v) - f(x - h * v)) / (2 * h)
        scale = np.max(np.abs(found) @ np.abs(v), initial=1e-300)
        if not np.allclose(
            found @ v, slope, rtol=1e-3, atol=1e-3 * float(max(scale, np.max(np.abs(slope), initial=0.0)))
        ):
            raise UnsupportedError(
                "the complex step disagrees with a central difference: f is a black box that is not analytic (abs, norm, "
                "comparisons); use scheme='central'"
            )

    def along(self, arrays: Sequence[Any], v: Any) -> Any:
        """J v, by a difference along v."""
        x = self.flat(arrays)
        length = float(np.max(np.abs(v), initial=0.0))
        if length == 0.0:
            return np.zeros(self.derivative.outputs, self.dtype)
        if self.method.scheme == "complex-step":
            step = self.method.step_size or COMPLEX_STEP
            return np.imag(self.complex_function(arrays)(x + 1j * step * v)) / step
        f, unit = self.function(arrays), v / length
        inner = _Differences(
            self, lambda t: f(x + t[0] * unit), np.zeros(1, x.dtype), scale=max(1.0, float(np.max(np.abs(x))))
        )
        return inner.columns()[0][:, 0] * length

    def hessian(self, arrays: Sequence[Any]) -> Any:
        """Second differences of f; with a complex step, first differences of an exact gradient."""
        x = self.flat(arrays)
        check_dense(x.size, x.size)
        if self.method.scheme == "complex-step":
            h = self.steps(x, 1 / 3)
            rows = [
                (self._gradient_at(arrays, x, h, j, 1) - self._gradient_at(arrays, x, h, j, -1)) / (2 * h[j])
                for j in range(x.size)
            ]
            found = np.stack(rows)
            return (found + found.T) / 2
        return _second_differences(self.function(arrays), x, self.steps(x, 1 / 4))

    def _gradient_at(self, arrays: Sequence[Any], x: Any, h: Any, j: int, sign: int) -> Any:
        moved = x.copy()
        moved[j] += sign * h[j]
        return self._complex_columns(self.whole(arrays, moved), moved)[0]

    def hessian_along(self, arrays: Sequence[Any], v: Any) -> Any:
        """H v, by a central difference of gradients along v."""
        x = self.flat(arrays)
        length = float(np.max(np.abs(v), initial=0.0))
        if length == 0.0:
            return np.zeros(x.size, self.dtype)
        h = (self.method.step_size or self.epsilon**0.25) * max(1.0, float(np.max(np.abs(x)))) / length
        ahead, behind = (self.jacobian(self.whole(arrays, x + sign * h * v))[0] for sign in (1, -1))
        return (ahead - behind) / (2 * h)


def _second_differences(f: Function, x: Any, h: Any) -> Any:
    """``(A, A)`` second differences of a scalar f, 2 A^2 + 1 evaluations."""
    n, here = x.size, f(x)[0]
    found = np.empty((n, n), dtype=np.result_type(x, float))

    def at(*moves: tuple[int, int]) -> Any:
        moved = x.copy()
        for j, sign in moves:
            moved[j] += sign * h[j]
        return f(moved)[0]

    for i in range(n):
        found[i, i] = (at((i, 1)) - 2 * here + at((i, -1))) / h[i] ** 2
        for j in range(i):
            corners = at((i, 1), (j, 1)) - at((i, 1), (j, -1)) - at((i, -1), (j, 1)) + at((i, -1), (j, -1))
            found[i, j] = found[j, i] = corners / (4 * h[i] * h[j])
    return found


class _Differences:
    """Differences of a vector function at one point, input by input, inside its domain."""

    def __init__(self, point: _Point, f: Function, x: Any, scale: float = 1.0) -> None:
        method = point.method
        self.f, self.x, self.scheme, self.dtype = f, x, method.scheme, point.dtype
        power = {"forward": 1 / 2, "central": 1 / 3, "richardson": 0.0}[method.scheme]
        self.h = point.steps(x, power) * scale
        if method.scheme == "richardson" and method.step_size is None:
            self.h = 0.1 * np.maximum(1.0, np.abs(x)) * scale
        low, high = method.bounds if method.bounds is not None else (-np.inf, np.inf)
        unbounded = x.size != np.broadcast(np.asarray(low), np.asarray(high)).size and np.ndim(low) > 0
        if unbounded:
            raise InputError(f"bounds of {np.size(low)} entries, but f has {x.size} inputs")
        self.low, self.high = (
            np.broadcast_to(np.ravel(np.asarray(side, dtype=float)), x.shape) for side in (low, high)
        )
        self.here = f(x)
        self.one_sided: list[int] = []

    def columns(self) -> tuple[Any, Any]:
        """The Jacobian and, from the extrapolation, an estimate of its error."""
        if np.any((self.x < self.low) | (self.x > self.high)):
            raise InputError("x lies outside of bounds")
        rule = {"central": self._central, "forward": self._forward, "richardson": self._richardson}[
            self.scheme
        ]
        found = [rule(j) for j in range(self.x.size)]
        if self.one_sided:
            listed = ", ".join(map(str, self.one_sided[:8])) + (", ..." if len(self.one_sided) > 8 else "")
            warnings.warn(
                f"f is not finite, or bounded, on one side of input {listed}; one-sided differences are used there",
                DomainWarning,
                stacklevel=2,
            )
        empty = np.zeros((self.here.size, 0), self.dtype)
        values = np.stack([value for value, _ in found], axis=1) if found else empty
        errors = np.stack([error for _, error in found], axis=1) if found else empty
        return values.astype(self.dtype, copy=False), errors

    def _at(self, j: int, move: float) -> Any:
        """F with input j moved; None outside the domain."""
        target = self.x[j] + move
        if not self.low[j] <= target <= self.high[j]:
            return None
        moved = self.x.copy()
        moved[j] = target
        value = self.f(moved)
        return value if np.all(np.isfinite(value) | ~np.isfinite(self.here)) else None

    def _central(self, j: int, h: float | None = None, retries: int = 4) -> tuple[Any, Any]:
        h = float(self.h[j]) if h is None else h
        ahead, behind = self._at(j, h), self._at(j, -h)
        if ahead is not None and behind is not None:
            return (ahead - behind) / (2 * h), 0 * self.here
        if ahead is None and behind is None:
            return (
                self._central(j, h / 16, retries - 1) if retries else (self.here * np.nan, self.here * np.nan)
            )
        return self._one_sided(j, h if behind is None else -h, retries)

    def _one_sided(self, j: int, h: float, retries: int) -> tuple[Any, Any]:
        """``(-3 f(x) + 4 f(x + h) - f(x + 2 h)) / (2 h)``, of second order like the central difference."""
        first, second = self._at(j, h), self._at(j, 2 * h)
        if first is None or second is None:
            return (
                self._central(j, abs(h) / 16, retries - 1)
                if retries
                else (self.here * np.nan, self.here * np.nan)
            )
        self.one_sided.append(j)
        return (4 * first - 3 * self.here - second) / (2 * h), 0 * self.here

    def _forward(self, j: int) -> tuple[Any, Any]:
        for h in (float(self.h[j]), -float(self.h[j])):
            value = self._at(j, h)
            if value is not None:
                if h < 0:
                    self.one_sided.append(j)
                return (value - self.here) / h, 0 * self.here
        return self._central(j)

    def _richardson(self, j: int) -> tuple[Any, Any]:
        """Ridders' extrapolation of central differences to h = 0; the best of the table, entry by entry."""
        h = self._widest(j)
        if h is None:
            return self._central(j, float(self.h[j]) * 1e-5)
        previous = [self._central(j, h)[0]]
        best, error = previous[0], np.full(self.here.shape, np.inf)
        for _ in range(LEVELS - 1):
            h /= 2.0
            row = [self._central(j, h)[0]]
            factor = 4.0
            for older in previous:
                row.append(row[-1] + (row[-1] - older) / (factor - 1.0))
                factor *= 4.0
                guess = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - older))
                better = guess < error
                best, error = np.where(better, row[-1], best), np.where(better, guess, error)
            if np.all(np.abs(row[-1] - previous[-1]) > 2 * error):
                break
            previous = row
        return best, error

    def _widest(self, j: int) -> float | None:
        """The widest step with both sides in the domain, halved once more for good measure."""
        h = float(self.h[j])
        for _ in range(40):
            if self._at(j, h) is not None and self._at(j, -h) is not None:
                return h / 2
            h /= 2.0
        return None
