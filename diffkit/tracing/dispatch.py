"""From NumPy's two protocols to the lowerings: what happens when f calls NumPy on a traced value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.ops import Op, Recorded
from diffkit.tracing.refusals import advice
from diffkit.tracing.tracer import LOWERINGS, UFUNC_METHODS, Tracer


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Record a ufunc call or one of its methods; hand the result to ``out=`` where there is one."""
    out, mask, dtype = options.pop("out", None), options.pop("where", True), options.pop("dtype", None)
    options.pop("casting", None)
    lowering = _find(ufunc) if method == "__call__" else UFUNC_METHODS.get((ufunc.__name__, method))
    if lowering is None:
        return _untraceable(
            getattr(ufunc, method),
            f"{_home(ufunc)}{ufunc.__name__}.{method}".removesuffix(".__call__"),
            inputs,
            options,
        )
    result = lowering(*inputs, **options)
    if dtype is not None:
        result = result.astype(dtype)
    if out is None and mask is True:
        return result
    return _deliver(result, out, mask)


def _find(ufunc: np.ufunc) -> Callable[..., Any] | Op | None:
    return LOWERINGS.get(ufunc) or p.BY_NAME.get(ufunc.__name__)


def _home(ufunc: np.ufunc) -> str:
    """Where a ufunc comes from: NumPy's have a module, SciPy's and others do not say."""
    return "np." if getattr(np, ufunc.__name__, None) is ufunc else ""


def _deliver(result: Any, out: Any, mask: Any) -> Any:
    target = out[0] if isinstance(out, tuple) else out
    if target is None:
        raise TracingError("where= without out= leaves entries undefined; write np.where(mask, value, other) instead")
    if not isinstance(target, Recorded):
        raise TracingError(
            "out= is a plain array, which would silently store numbers instead of traced values; "
            "make it inside f (np.zeros, np.empty), or use the returned array"
        )
    target[...] = result if mask is True else p.where(mask, result, target)
    return target


def call_function(function: Any, args: Any, kwargs: Any) -> Any:
    """Record a NumPy function by its lowering."""
    out = kwargs.get("out")
    lowering = LOWERINGS.get(function)
    if lowering is None:
        module = getattr(function, "__module__", "numpy").replace("numpy", "np", 1)
        return _untraceable(function, f"{module}.{function.__name__}", args, kwargs)
    if out is None:
        return lowering(*args, **kwargs)
    return _deliver(lowering(*args, **{name: value for name, value in kwargs.items() if name != "out"}), out, mask=True)


def _untraceable(function: Any, name: str, args: Any, kwargs: Any) -> Any:
    """Compute where nothing depends on an input; otherwise say what to write instead."""
    tracers = [value for value in _flat((args, kwargs)) if isinstance(value, Tracer)]
    if not any(tracer.varies for tracer in tracers):
        return function(*_concrete(args), **_concrete(kwargs))
    raise TracingError(f"{name} cannot be traced: {advice(name.rpartition('.')[2])}")


def _flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in _flat(part)]
    return [value]


def _concrete(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _concrete(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_concrete(part) for part in value)
    if not isinstance(value, Tracer):
        return value
    array = np.array(value.concrete())
    array.flags.writeable = False  # what a function writes into a copy would be lost
    return array
