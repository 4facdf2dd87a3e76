"""What every operator hands back: a function that prepares a derivative when it is first called, and keeps it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from diffkit.differentiators import Derivative, Differentiator, get
from diffkit.differentiators.arguments import numbered, take
from diffkit.differentiators.programs import DIRECTED
from diffkit.errors import InputError
from diffkit.expressions import as_callable
from diffkit.tracing import current_trace

MAX_SIGNATURES = 32  # per operator; the one least recently made goes first

Function = Callable[..., Any]


class Operator:
    """A function that gives a derivative: it prepares one per signature, and keeps it."""

    def __init__(
        self,
        f: Function,
        product: str,
        method: str | Differentiator,
        argnums: Any = 0,
        *,
        has_aux: bool = False,
        finish: Function | None = None,
        **options: Any,
    ) -> None:
        f = as_callable(f)
        self.method = get(method, **options)
        functools.update_wrapper(self, f, updated=())
        self.function, self.product, self.has_aux, self.finish = f, product, has_aux, finish
        self.argnums, self.single = numbered(argnums)
        self._prepared: dict[Any, Derivative] = {}
        self._last: Derivative | None = None

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Differentiate at a point."""
        derivative = self._derivative(args, kwargs)
        if current_trace() is None:
            found = derivative.run(*args, **kwargs)  # machine code itself, where there is some
        else:
            found = derivative.call(self.product, args, kwargs)
        return found if self.finish is None else self.finish(found, derivative, args)

    def _derivative(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Derivative:
        directed = self.product in DIRECTED
        if directed and len(args) < 2:
            raise InputError(f"{self.product} needs a point and a direction: {self.product}(f)(x, v)")
        plain = args[:-1] if directed else args
        last = self._last
        if last is not None and last.fits(plain, kwargs):
            return last
        how: dict[str, Any] = {"argnums": self.argnums, "single": self.single, "has_aux": self.has_aux}
        if current_trace() is not None:  # its steps join that trace, and nothing is kept
            return Derivative(self.method, self.function, plain, kwargs, **how)
        _, layout = take(plain, kwargs, self.argnums, single=self.single)
        found = self._prepared.get(layout)
        if found is None:
            found = Derivative(self.method, self.function, plain, kwargs, product=self.product, **how)
            while len(self._prepared) >= MAX_SIGNATURES:
                self._prepared.pop(next(iter(self._prepared)), None)
            self._prepared[layout] = found
        self._last = found
        return found

    def __repr__(self) -> str:
        return f"<{self.product} of {getattr(self.function, '__name__', self.function)} by {self.method.name}>"
