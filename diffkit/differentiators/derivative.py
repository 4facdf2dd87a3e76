"""`Derivative`: a method made ready for one function and one signature.

f is traced once per branch that it takes (`Branch`); a method makes a `Program` per branch and product, when first
asked for. Running a program checks its guards; where one does not hold, f takes another branch at this point: it is
traced again there, and both are kept.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit import trees
from diffkit.differentiators.arguments import Layout, Spec, fitted, take
from diffkit.errors import InputError, NotScalarError, TracingError, UnsupportedError
from diffkit.graph import Graph, Operations
from diffkit.ops import Recorded
from diffkit.tracing import Traced, call_function, current_trace, replay, trace_function

if TYPE_CHECKING:
    from diffkit.differentiators.base import Differentiator

PRODUCTS = ("value", "gradient", "value_and_gradient", "jacobian", "jvp", "vjp", "hessian", "hvp")
SCALAR_ONLY = frozenset({"gradient", "value_and_gradient", "hessian", "hvp"})
QUICK = frozenset({"gradient", "jacobian", "hessian"})
MATRICES = frozenset({"jacobian", "hessian", "error"})
DIRECTED = frozenset({"jvp", "vjp", "hvp"})
MAX_BRANCHES = 8


@dataclass(frozen=True, eq=False)
class Program:
    """One product of one branch of f, ready to run.

    Attributes
    ----------
    run
        ``run(*arrays, *directions)`` gives a flat tuple of results, or None where f takes another branch.
    graph
        The derivative graph; None where the method needs none.
    source
        The generated program; empty where there is none.
    operations
        Counted operations of one run; None where f could not be traced.
    calls
        How often one run calls f.
    expressions
        What a symbolic derivative found; None for other methods.
    """

    run: Callable[..., tuple[Any, ...] | None]
    graph: Graph | None = None
    source: str = ""
    operations: Operations | None = None
    calls: int = 0
    expressions: Any = None


class Branch:
    """f traced along one path, and the programs made from it."""

    __slots__ = ("arrays", "programs", "traced")

    def __init__(self, traced: Traced, arrays: Sequence[Any]) -> None:
        self.traced = traced
        self.arrays = arrays  # the point where f was traced
        self.programs: dict[str, Program] = {}


class Quick:
    """The shortest way of the commonest call."""

    __slots__ = ("dtype", "run", "shape", "unchanged")

    def __init__(self, run: Callable[..., Any], shape: Any, dtype: Any, unchanged: Callable[[], bool]) -> None:
        self.run, self.shape, self.dtype, self.unchanged = run, shape, dtype, unchanged

    def takes(self, x: Any) -> bool:
        """Whether nothing else needs to be looked at."""
        return (
            type(x) is np.ndarray
            and x.dtype is self.dtype
            and x.shape == self.shape
            and current_trace() is None
            and self.unchanged()
        )


class Derivative:
    """A method made ready for one function and arguments of one signature; made by `Differentiator.prepare`.

    ``value``, ``gradient``, ``jacobian``, ``jvp``, ``vjp``, ``hessian`` and ``hvp`` give the products, ``run`` the one
    it was prepared for. Safe to use from several threads.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> plan = dk.get("reverse").prepare(lambda x: np.sum(x**3), np.ones(2), product="gradient")
    >>> plan.run(np.array([1.0, 2.0]))
    array([ 3., 12.])
    >>> plan.hessian(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """

    def __init__(
        self,
        differentiator: Differentiator,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        argnums: tuple[int, ...],
        single: bool,
        product: str,
        has_aux: bool,
        verify: bool,
    ) -> None:
        self.differentiator, self.function = differentiator, function
        self.product, self.has_aux = product, has_aux
        arrays, self.layout = take(args, kwargs, argnums, single=single)
        self._lock = threading.RLock()
        self._branches: list[Branch] = []
        self._quick: dict[str, Quick] = {}
        self._dropped = 0
        branch = self._trace(arrays)
        if verify:
            self._verify(branch, arrays)
        self._program(branch, product)

    @classmethod
    def unprepared(
        cls, differentiator: Differentiator, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any],
        *, argnums: tuple[int, ...], single: bool, has_aux: bool,
    ) -> Derivative:  # fmt: skip
        """A derivative for one call inside a function being traced: nothing is traced or kept beforehand."""
        made = cls.__new__(cls)
        made.differentiator, made.function, made.product, made.has_aux = (
            differentiator,
            function,
            "value",
            has_aux,
        )
        made.layout = take(args, kwargs, argnums, single=single)[1]
        made._lock, made._branches, made._quick, made._dropped = threading.RLock(), [], {}, 0
        return made

    # ------------------------------------------------------------ products

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """The product that this was prepared for."""
        return self.call(self.product, args, kwargs)

    def value(self, *args: Any, **kwargs: Any) -> Any:
        """F itself."""
        return self.call("value", args, kwargs)

    def gradient(self, *args: Any, **kwargs: Any) -> Any:
        """The gradient of a scalar f, in x's containers and shapes."""
        return self.call("gradient", args, kwargs)

    def value_and_gradient(self, *args: Any, **kwargs: Any) -> Any:
        """F and its gradient, in one run."""
        return self.call("value_and_gradient", args, kwargs)

    def jacobian(self, *args: Any, **kwargs: Any) -> Any:
        """The Jacobian ``(B, A)``, inputs and outputs flattened in C order."""
        return self.call("jacobian", args, kwargs)

    def jvp(self, *args: Any, **kwargs: Any) -> Any:
        """J v, built like f's result; the last argument is v, built like x."""
        return self.call("jvp", args, kwargs)

    def vjp(self, *args: Any, **kwargs: Any) -> Any:
        """W J, built like x; the last argument is w, built like f's result."""
        return self.call("vjp", args, kwargs)

    def hessian(self, *args: Any, **kwargs: Any) -> Any:
        """The Hessian ``(A, A)`` of a scalar f."""
        return self.call("hessian", args, kwargs)

    def hvp(self, *args: Any, **kwargs: Any) -> Any:
        """H v, built like x; the last argument is v."""
        return self.call("hvp", args, kwargs)

    # ------------------------------------------------------------ what it is made of

    @property
    def graph(self) -> Graph | None:
        """The derivative graph of the prepared product."""
        return self._latest().graph

    @property
    def source(self) -> str:
        """The generated program of the prepared product."""
        return self._latest().source

    @property
    def operations(self) -> Operations | None:
        """Counted operations of one run of the prepared product."""
        return self._latest().operations

    @property
    def calls(self) -> int:
        """How often one run of the prepared product calls f."""
        return self._latest().calls

    @property
    def function_graph(self) -> Graph | None:
        """F as a graph; None where f could not be traced."""
        return self._branches[0].traced.graph

    @property
    def function_operations(self) -> Operations | None:
        """Counted operations of one evaluation of f."""
        graph = self.function_graph
        return graph.operations if graph else None

    @property
    def inputs(self) -> int:
        """A, the number of entries that f is differentiated by."""
        return trees.total_size(
            [spec for spec, flag in zip(self.layout.specs, self.layout.wanted, strict=True) if flag]
        )

    @property
    def outputs(self) -> int:
        """B, the number of entries of f's result."""
        return trees.total_size(self._branches[0].traced.leaves)

    @property
    def expressions(self) -> Any:
        """What a symbolic derivative found, as SymPy expressions (`diffkit.expressions.Assignments`)."""
        found = self._latest().expressions
        if found is None:
            raise UnsupportedError(f"{self.differentiator.name} makes no expressions; use method='symbolic'")
        return found

    def latex(self) -> str:
        """What a symbolic derivative found, in LaTeX."""
        return str(self.expressions.latex())

    def result_leaves(self) -> Sequence[Any]:
        """The leaves of f's result: anything with a shape and a dtype."""
        return self._branches[0].traced.leaves

    def error_estimate(self, *args: Any, **kwargs: Any) -> Any:
        """An estimate of the error of each entry of the Jacobian (finite differences with scheme="richardson")."""
        return self.call("error", args, kwargs)

    def retrace(self) -> None:
        """Forget what was traced: f is traced again at the next call."""
        with self._lock:
            self._branches = []
            self._quick = {}

    def _latest(self) -> Program:
        return self._program(self._branches[0], self.product)

    # ------------------------------------------------------------ running

    def call(self, product: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a product."""
        quick = self._quick.get(product)
        if quick is not None and len(args) == 1 and not kwargs and quick.takes(args[0]):
            with np.errstate(all="ignore"):
                found = quick.run(args[0])
            if found is not None:
                return found[0]
        directions: tuple[Any, ...] = ()
        if product in DIRECTED:
            if not args:
                raise InputError(f"{product} needs a direction as its last argument")
            args, directions = args[:-1], args[-1:]
        arrays = self._arrays(args, kwargs)
        if current_trace() is not None:
            return self._inlined(product, arrays, directions)
        return self.run_arrays(product, arrays, directions)

    def fits(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether this was prepared for arguments like these, in the common case: one plain array."""
        layout = self.layout
        if kwargs or len(args) != 1 or len(layout.leaves) != 1 or layout.structures[0] is not trees.LEAF:
            return False
        x, spec = args[0], layout.leaves[0]
        return type(x) is np.ndarray and x.shape == spec[0] and x.dtype == spec[1]

    def blocks(self, matrix: Any) -> Any:
        """A Jacobian cut into a block per leaf of the result and of x, in their containers."""
        traced = self._branches[0].traced
        specs = [spec for spec, flag in zip(self.layout.specs, self.layout.wanted, strict=True) if flag]
        rows, start = [], 0
        for leaf in traced.leaves:
            stop = start + int(np.prod(leaf.shape))
            part = matrix[start:stop]
            cut = [
                piece.reshape((*leaf.shape, *spec.shape))
                for piece, spec in zip(trees.split(part, specs), specs, strict=True)
            ]
            rows.append(self.layout.like_wanted(cut))
            start = stop
        return traced.structure.unflatten(rows)

    def _arrays(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        if self.fits(args, kwargs):
            return list(args)
        layout = self.layout
        arrays, given = take(args, kwargs, layout.argnums, single=layout.single)
        if given != layout:
            raise InputError(
                f"prepared for {_words(layout)}, but called with {_words(given)}; prepare again for these"
            )
        return arrays

    def run_arrays(self, product: str, arrays: Sequence[Any], directions: tuple[Any, ...] = ()) -> Any:
        """Run a product on arrays that fit the signature, and put the result together."""
        branch, found = self.find(product, arrays, directions)
        return self._assemble(branch.traced, product, found)

    def find(
        self, product: str, arrays: Sequence[Any], directions: tuple[Any, ...] = ()
    ) -> tuple[Branch, tuple[Any, ...]]:
        """Run a product on the branch last used, then the others, then a new one: its flat results."""
        for branch in self._known():
            found = self._attempt(branch, product, arrays, directions)
            if found is not None:
                if branch is not self._branches[0]:
                    self._promote(branch)
                elif product in QUICK and product not in self._quick:
                    self._shorten(branch, product)
                return branch, found
        branch = self._trace(arrays)
        found = self._attempt(branch, product, arrays, directions)
        if found is None:
            raise TracingError(
                "f decides differently each time it is traced at the same point: it uses random numbers or keeps state; "
                "pass them as arguments instead"
            )
        return branch, found

    def _shorten(self, branch: Branch, product: str) -> None:
        """Remember the shortest way of the commonest call: one plain array in, one array out, same branch as before."""
        layout = self.layout
        plain = len(layout.leaves) == 1 and layout.structures[0] is trees.LEAF and not self.has_aux
        if plain and layout.single and isinstance(layout.leaves[0], Spec) and layout.leaves[0].shape:
            unchanged = branch.traced.unchanged
            self._quick[product] = Quick(branch.programs[product].run, *layout.leaves[0], unchanged)

    def _known(self) -> list[Branch]:
        branches = self._branches
        if branches and not branches[0].traced.unchanged():
            self.retrace()  # a name that f reads was bound to something else
            return []
        return branches

    def _attempt(
        self, branch: Branch, product: str, arrays: Sequence[Any], directions: tuple[Any, ...]
    ) -> Any:
        program = branch.programs.get(product) or self._program(branch, product)
        with np.errstate(
            all="ignore"
        ):  # an infinite partial shows in the result; a warning would not say where
            if not directions:
                return program.run(*arrays)
            return program.run(*arrays, *self._directions(branch, product, directions[0]))

    def _directions(self, branch: Branch, product: str, direction: Any) -> list[Any]:
        if product != "vjp":
            return self.layout.from_wanted(direction, "the direction v")
        leaves, structure = trees.flatten(direction)
        if structure != branch.traced.structure:
            raise InputError("the direction w is not built like the result of f")
        return [
            fitted(leaf, like, "the direction w")
            for leaf, like in zip(leaves, branch.traced.leaves, strict=True)
        ]

    def _assemble(self, traced: Traced, product: str, found: tuple[Any, ...]) -> Any:
        layout, extra, outputs = self.layout, None, len(traced.leaves)
        main = self._main_count(product, traced)
        if product in MATRICES:
            result: Any = found[0]
        elif product in ("value", "jvp"):
            result = traced.structure.unflatten([_scalar(value) for value in found[:main]])
        elif product == "value_and_gradient":
            value = traced.structure.unflatten([_scalar(part) for part in found[:outputs]])
            result = (value, layout.like_wanted([_scalar(part) for part in found[outputs:main]]))
        else:
            result = layout.like_wanted([_scalar(part) for part in found[:main]])
        if not self.has_aux:
            return result
        assert traced.extra is not None  # has_aux
        extra = traced.extra.unflatten([_scalar(part) for part in found[main:]])
        return (*result, extra) if product == "value_and_gradient" else (result, extra)

    def _main_count(self, product: str, traced: Traced) -> int:
        if product in MATRICES:
            return 1
        if product in ("value", "jvp"):
            return len(traced.leaves)
        wanted = sum(self.layout.wanted)
        return wanted + (len(traced.leaves) if product == "value_and_gradient" else 0)

    # ------------------------------------------------------------ tracing

    def _trace(self, arrays: Sequence[Any]) -> Branch:
        """Trace f at a point; where the method can do without, f may be a black box."""
        with self._lock:
            branch = Branch(self._traced(arrays), arrays)
            self._branches, self._quick = [branch, *self._branches[: MAX_BRANCHES - 1]], {}
            self._dropped += len(self._branches) == MAX_BRANCHES
            if self._dropped == 2:
                warnings.warn(
                    f"f takes a new branch at nearly every point; more than {MAX_BRANCHES} are not kept, so it is traced "
                    "again at most calls. Replace if by np.where, or use method='finite-difference'",
                    stacklevel=5,
                )
        return branch

    def _traced(self, arrays: Sequence[Any]) -> Traced:
        try:
            return trace_function(self.function, arrays, self.layout.rebuild, has_aux=self.has_aux)
        except TracingError:
            if self.differentiator.traces:
                raise
            return call_function(self.function, arrays, self.layout.rebuild, has_aux=self.has_aux)[0]

    def _promote(self, branch: Branch) -> None:
        with self._lock:
            self._branches = [branch, *(other for other in self._branches if other is not branch)]
            self._quick = {}

    def _program(self, branch: Branch, product: str) -> Program:
        with self._lock:
            program = branch.programs.get(product)
            if program is None:
                check_scalar(branch.traced, product)
                program = branch.programs[product] = self.differentiator.program(self, branch, product)
            return program

    def _verify(self, branch: Branch, arrays: Sequence[Any]) -> None:
        again = self._traced(arrays)
        if _fingerprint(branch.traced.graph) != _fingerprint(again.graph):
            raise TracingError(
                "f does not do the same twice at one point: it uses random numbers or keeps state; pass them as arguments"
            )

    # ------------------------------------------------------------ derivatives inside f

    def _inlined(self, product: str, arrays: Sequence[Any], directions: tuple[Any, ...]) -> Any:
        """Inside a function being traced, the derivative's steps join the outer trace; nothing is kept."""
        branch = Branch(self._traced(arrays), arrays)
        self._branches = self._branches or [branch]
        check_scalar(branch.traced, product)
        program = self.differentiator.program(self, branch, product)
        outer = current_trace()
        given = [*arrays, *(self._directions(branch, product, directions[0]) if directions else ())]
        if program.graph is None or outer is None:
            found = program.run(*given)
            assert found is not None  # nothing is guarded without a graph
            return self._assemble(branch.traced, product, found)
        lifted = [
            value if isinstance(value, Recorded) else outer.tracer(outer.lift(value)) for value in given
        ]
        values = replay(outer, program.graph, lifted)
        return self._assemble(
            branch.traced, product, tuple(values[position] for position in program.graph.outputs)
        )


def check_scalar(traced: Traced, product: str) -> None:
    """Refuse products that only a function with one number as its result has."""
    if product in SCALAR_ONLY and trees.total_size(traced.leaves) != 1:
        shapes = ", ".join(str(tuple(leaf.shape)) for leaf in traced.leaves)
        raise NotScalarError(
            f"f returned shape {shapes}; a {product.replace('_', ' ')} needs one number: use jacobian, or sum the result"
        )


def _scalar(value: Any) -> Any:
    """A number for a 0-d array."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _fingerprint(graph: Graph | None) -> list[Any]:
    return (
        []
        if graph is None
        else [
            (step.op, step.operands, *(_text(value) for value in step.params.values()))
            for step in graph.steps
        ]
    )


def _text(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return (value.shape, value.tobytes())
    return repr(value) if not isinstance(value, Recorded) else "outer"


def _words(layout: Layout) -> str:
    parts = [f"{spec.dtype} {spec.shape}" for spec in layout.specs]
    return ", ".join(parts) or "no arrays"
