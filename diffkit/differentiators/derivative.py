"""`Derivative`: a method made ready for one function and one signature.

f is traced once per branch that it takes (`Branch`); a method makes a `Program` per branch and product, when first
asked for. Running a program checks its guards; where one does not hold, f takes another branch at this point: it is
traced again there, and both are kept.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit import trees
from diffkit.differentiators.arguments import fit, fitted, take
from diffkit.differentiators.assembling import assemble, blocks
from diffkit.differentiators.following import followed
from diffkit.differentiators.products import Products
from diffkit.differentiators.programs import (
    DIRECTED,
    LIKE_RESULT,
    QUICK,
    Branch,
    Program,
    Quick,
    check_scalar,
    fingerprint,
)
from diffkit.errors import InputError, TracingError
from diffkit.expressions import as_callable
from diffkit.ops import Recorded
from diffkit.tracing import Traced, call_function, current_trace, replay

if TYPE_CHECKING:
    from diffkit.differentiators.base import Differentiator

MAX_BRANCHES = 8


class Derivative(Products):
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
        has_aux: bool = False,
        product: str | None = None,
        verify: bool = False,
    ) -> None:
        self.differentiator, self.function = differentiator, as_callable(function)
        self.product, self.has_aux = product or "value", has_aux
        arrays, self.layout = take(args, kwargs, argnums, single=single)
        self._lock = threading.RLock()
        self._branches: list[Branch] = []
        self._quick: dict[str, Quick] = {}
        self._dropped = 0
        if product is None:  # for one call inside a function being traced: nothing is made beforehand, or kept
            return
        branch = self._trace(arrays)
        if verify:
            self._verify(branch, arrays)
        self._program(branch, product)
        self._shorten(branch, product)

    def folds(self) -> list[tuple[Traced, Any, float]]:
        """The loops that an engine has made of the branches known by now, and the seconds of a round, predicted."""
        made = [(branch.traced, self.ready(branch, "value")) for branch in self._branches if branch.holds()]
        return [(traced, program.fold, program.round_seconds) for traced, program in made if program.fold]

    def latest(self) -> Traced:
        """The trace of the branch that was taken last."""
        return self._branches[0].traced

    def retrace(self) -> None:
        """Forget what was traced: f is traced again at the next call."""
        with self._lock:
            self.__dict__.pop("run", None)
            for branch in self._branches:
                branch.forgotten = True

    # ------------------------------------------------------------ running

    def call(self, product: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a product."""
        quick = self._quick.get(product)
        if quick is not None and not kwargs and quick.takes(args):
            with np.errstate(all="ignore"):
                found = quick.run(*args)
            if found is not None:
                return found[0] if len(found) == 1 else (found[0][()], found[1])
        directions: tuple[Any, ...] = ()
        if product in DIRECTED:
            if len(args) < 2:
                raise InputError(f"{product} needs a point and, as its last argument, a direction")
            args, directions = args[:-1], args[-1:]
        arrays = self._arrays(args, kwargs)
        if current_trace() is not None:
            return self._inlined(product, arrays, directions)
        branch, found_here = self.find(product, arrays, directions)
        return assemble(self.layout, branch.traced, product, found_here)

    def fits(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether this was prepared for arguments like these, in the common case: plain arrays."""
        specs = self.layout.plain
        return specs is not None and not kwargs and fit(args, specs)

    def blocks(self, matrix: Any) -> Any:
        """A Jacobian cut into a block per leaf of the result and of x, in their containers."""
        return blocks(self.layout, self._branches[0].traced, matrix)

    def _arrays(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        if self.fits(args, kwargs):
            return list(args)
        layout = self.layout
        arrays, given = take(args, kwargs, layout.argnums, single=layout.single)
        if given != layout:
            raise InputError(f"prepared for {layout}, but called with {given}; prepare again for these")
        return arrays

    def find(
        self, product: str, arrays: Sequence[Any], directions: tuple[Any, ...] = ()
    ) -> tuple[Branch, tuple[Any, ...]]:
        """Run a product on the branch last used, then the others, then a new one: its flat results."""
        known = self._on_known_branches(product, arrays, directions)
        if known is not None:
            return known
        with self._lock:  # where another thread has traced this branch meanwhile, it serves
            known = self._on_known_branches(product, arrays, directions)
            if known is not None:
                return known
            branch = self._trace(arrays)
        found = self._attempt(branch, product, arrays, directions)
        if found is None:
            raise TracingError(
                "f decides differently each time it is traced at the same point: it uses random numbers or keeps "
                "state; pass them as arguments instead"
            )
        return branch, found

    def _on_known_branches(
        self, product: str, arrays: Sequence[Any], directions: tuple[Any, ...]
    ) -> tuple[Branch, tuple[Any, ...]] | None:
        for branch in self._branches:
            found = self._attempt(branch, product, arrays, directions) if branch.holds() else None
            if found is not None:
                self._prefer(branch, product)
                return branch, found
        return None

    def _attempt(self, branch: Branch, product: str, arrays: Sequence[Any], directions: tuple[Any, ...]) -> Any:
        program = self.ready(branch, product)
        given = self._directions(branch, product, directions[0]) if directions else ()
        # An infinite partial shows in the result; a warning would not say where.
        with np.errstate(all="ignore"):
            return program.run(*arrays, *given)

    def _directions(self, branch: Branch, product: str, direction: Any) -> list[Any]:
        if product != "vjp":
            return self.layout.from_wanted(direction, "the direction v")
        leaves, structure = trees.flatten(direction)
        if structure != branch.traced.structure:
            raise InputError(
                "the direction w is not built like the result of f; give the same containers, with arrays of the same "
                "shapes"
            )
        return [fitted(leaf, like, "the direction w") for leaf, like in zip(leaves, branch.traced.leaves, strict=True)]

    # ------------------------------------------------------------ tracing

    def _trace(self, arrays: Sequence[Any]) -> Branch:
        """Trace f at a point."""
        with self._lock:
            kept = [branch for branch in self._branches if branch.holds()][: MAX_BRANCHES - 1]
            full = len(kept) == MAX_BRANCHES - 1
            branch = Branch(
                self._black_box(arrays) if full and not self.differentiator.traces else self._traced(arrays), arrays
            )
            self._branches, self._quick = [branch, *kept], {}
            self._dropped += full and self.differentiator.traces
            if self._dropped == 2:
                warnings.warn(
                    f"f takes a new branch at nearly every point; more than {MAX_BRANCHES} are not kept, so it is "
                    "traced again at most calls. Replace if by np.where, or use method='finite-difference'",
                    stacklevel=5,
                )
        return branch

    def _traced(self, arrays: Sequence[Any]) -> Traced:
        return followed(
            self.function,
            arrays,
            self.layout.rebuild,
            has_aux=self.has_aux,
            black_box=not self.differentiator.traces,
        )

    def _black_box(self, arrays: Sequence[Any]) -> Traced:
        return call_function(self.function, arrays, self.layout.rebuild, has_aux=self.has_aux)[0]

    def _prefer(self, branch: Branch, product: str) -> None:
        """Try this branch first from now on, and by the shortest way where that is open."""
        if self._branches[0] is branch and (product not in QUICK or product in self._quick):
            return
        with self._lock:
            if branch not in self._branches:
                return  # another thread has replaced it
            if branch is not self._branches[0]:
                self._branches = [branch, *(other for other in self._branches if other is not branch)]
                self._quick = {}
            if product in QUICK and self._plain() and branch.traced.structure is trees.LEAF:
                self._quick[product] = Quick(branch, product, self.layout.specs)
            self._shorten(branch, product)

    def _plain(self) -> bool:
        """Whether the commonest call fits: plain arrays with axes in, one out."""
        specs = self.layout.plain
        return specs is not None and all(spec.shape for spec in specs) and self.layout.single and not self.has_aux

    def _shorten(self, branch: Branch, product: str) -> None:
        """Let machine code itself be ``run``, where it can watch the names that f reads; now, or when it is there."""
        program, traced = branch.programs[product], branch.traced
        flat = product not in LIKE_RESULT or traced.structure is trees.LEAF
        several = product in ("value", "jvp") and trees.is_tuple(traced.structure, len(traced.leaves), least=2)
        if product != self.product or not program.direct or not self._plain() or not (flat or several):
            return
        quick = program.direct(partial(type(self).run, self), branch.traced.watched)
        if quick and not branch.forgotten:
            self.run = quick  # type: ignore[method-assign]  # the same call
        elif program.later:
            program.later(partial(self._shorten, branch, product))

    def ready(self, branch: Branch, product: str) -> Program:
        """One product of a branch, made when it is first asked for."""
        return branch.programs.get(product) or self._program(branch, product)

    def _program(self, branch: Branch, product: str) -> Program:
        with self._lock:
            program = branch.programs.get(product)
            if program is None:
                check_scalar(branch.traced, product)
                program = branch.programs[product] = self.differentiator.program(self, branch, product)
            return program

    def _verify(self, branch: Branch, arrays: Sequence[Any]) -> None:
        again = self._traced(arrays)
        if fingerprint(branch.traced) != fingerprint(again):
            raise TracingError(
                "f does not do the same twice at one point: it uses random numbers or keeps state; pass them as "
                "arguments"
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
        if program.graph is None and any(isinstance(value, Recorded) for value in given):
            raise TracingError(
                f"{self.differentiator.name} inside a function that is differentiated by its graph; use another method "
                "inside, or finite differences outside"
            )
        if program.graph is None or outer is None:
            return assemble(self.layout, branch.traced, product, program.run(*given) or ())
        lifted = [value if isinstance(value, Recorded) else outer.tracer(outer.lift(value)) for value in given]
        values = replay(outer, program.graph, lifted)
        return assemble(
            self.layout, branch.traced, product, tuple(values[position] for position in program.graph.outputs)
        )
