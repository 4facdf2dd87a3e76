"""What all methods share: `Differentiator` is a way to differentiate; it prepares a `Derivative`.

A subclass is final: it states its facts (`exact`, `sweeps`) and how a product becomes a `Program`. A method that reads
f's graph derives from `GraphDifferentiator` and states three recordings; the other products follow from them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from diffkit.differentiators.arguments import numbered
from diffkit.differentiators.derivative import Derivative
from diffkit.differentiators.programs import PRODUCTS, Branch, Program
from diffkit.differentiators.recording import Recording, forward_direction, forward_jacobian, record
from diffkit.engines import check_engine
from diffkit.engines import engine as find_engine
from diffkit.errors import UnsupportedError, check_name
from diffkit.graph import Graph
from diffkit.simplify import simplify
from diffkit.tracing import replay


@dataclass(frozen=True, kw_only=True)
class Differentiator(ABC):
    """A way to differentiate a function ``f: R^A -> R^B``.

    Parameters
    ----------
    engine
        How graphs become callables: "numpy" (one generated function), "llvm" (machine code), "interpreted" (step by
        step), or "auto": numpy first, machine code when it pays.

    Examples
    --------
    >>> import diffkit as dk
    >>> method = dk.get("forward")
    >>> isinstance(method, dk.Differentiator), method.exact, method.sweeps(inputs=7, outputs=3)
    (True, True, 7)
    """

    name: ClassVar[str]
    exact: ClassVar[bool] = True
    engine: str = "auto"

    def __post_init__(self) -> None:
        check_engine(self.engine)

    # ------------------------------------------------------------ what a method states

    @abstractmethod
    def sweeps(self, inputs: int, outputs: int) -> int:
        """How many evaluations of f, or sweeps of its cost, one dense ``(B, A)`` Jacobian takes."""

    @abstractmethod
    def program(self, derivative: Derivative, branch: Branch, product: str) -> Program:
        """Make one product ready to run."""

    @property
    def traces(self) -> bool:
        """Whether the method needs f's graph."""
        return True

    # ------------------------------------------------------------ what all methods do

    def prepare(
        self,
        f: Callable[..., Any],
        /,
        *args: Any,
        product: str = "jacobian",
        argnums: int | Sequence[int] = 0,
        has_aux: bool = False,
        verify: bool = False,
        **kwargs: Any,
    ) -> Derivative:
        """Make f ready for differentiation at arguments like these: the one-off cost.

        Parameters
        ----------
        f
            A plain-NumPy function.
        *args, **kwargs
            Arguments of the shapes and dtypes that the derivative will be called with.
        product
            What ``run`` gives: "value", "gradient", "value_and_gradient", "jacobian", "jvp", "vjp", "hessian" or
            "hvp". The others can be asked of the result as well.
        argnums
            Which positional arguments to differentiate by.
        has_aux
            Whether f returns ``(result, extra)``.
        verify
            Trace f twice and compare; it finds random numbers and changing state, though not every kind.

        Raises
        ------
        UnknownNameError
            For a product that does not exist.
        InputError, TracingError
            For arguments or a function that cannot be used.

        Examples
        --------
        >>> import numpy as np, diffkit as dk
        >>> plan = dk.get("forward").prepare(lambda x: np.array([x[0] * x[1], x[1]]), np.ones(2))
        >>> plan.run(np.array([2.0, 3.0]))
        array([[3., 2.],
               [0., 1.]])
        """
        check_name(product, PRODUCTS, kind="product")
        numbers, single = numbered(argnums)
        return Derivative(
            self,
            f,
            args,
            kwargs,
            argnums=numbers,
            single=single,
            product=product,
            has_aux=has_aux,
            verify=verify,
        )


@dataclass(frozen=True, kw_only=True)
class GraphDifferentiator(Differentiator):
    """A method that reads f's graph and records the derivative's.

    The gradient is ``vjp`` with seed 1. Second derivatives are a forward sweep over the method's own gradient.
    """

    @abstractmethod
    def jacobian(self, recording: Recording) -> Any:
        """Record the Jacobian, ``(B, A)``."""

    @abstractmethod
    def jvp(self, recording: Recording, tangents: list[Any]) -> list[Any]:
        """Record J v: a tangent per output."""

    @abstractmethod
    def vjp(self, recording: Recording, cotangents: list[Any]) -> list[Any]:
        """Record w J: a cotangent per wanted input."""

    def program(self, derivative: Derivative, branch: Branch, product: str) -> Program:
        """Record a product, simplify it, and compile it."""
        whole = self.in_pieces(derivative, branch, product)
        return whole or self.compiled(self.graph_of(branch, derivative.layout.wanted, product))

    def in_pieces(self, derivative: Derivative, branch: Branch, product: str) -> Program | None:
        """Make a product ready that is too large for one run; None where it is not, or cannot be divided."""
        return None

    def compiled(self, graph: Graph) -> Program:
        """Make a graph a program."""
        made = find_engine(self.engine).compile(graph)
        return Program.of(made, graph)

    def graph_of(self, branch: Branch, wanted: tuple[bool, ...], product: str) -> Graph:
        """The graph of one product; its inputs are f's, then the caller's directions."""
        graph, results = branch.graph, len(branch.traced.leaves)
        if product == "value":
            return simplify(graph)
        if product == "error":
            raise UnsupportedError(f"{self.name} is exact; only finite differences estimate an error")
        if product in ("hessian", "hvp"):
            gradient = self.graph_of(branch, wanted, "gradient")
            return record(
                gradient, sum(wanted), wanted, forward_jacobian if product == "hessian" else forward_direction
            )
        makers: dict[str, Callable[[Recording], list[Any]]] = {
            "gradient": lambda recording: self.vjp(recording, recording.ones(recording.outputs)),
            "value_and_gradient": self._value_and_gradient,
            "jacobian": lambda recording: [self.jacobian(recording)],
            "jvp": lambda recording: self.jvp(recording, recording.directions(recording.inputs)),
            "vjp": lambda recording: self.vjp(recording, recording.directions(recording.outputs)),
        }
        return record(graph, results, wanted, makers[product])

    def _value_and_gradient(self, recording: Recording) -> list[Any]:
        values = replay(recording.trace, recording.graph, recording.arguments)
        return [
            *(values[position] for position in recording.graph.outputs),
            *self.vjp(recording, recording.ones(recording.outputs)),
        ]
