"""What f sees while it is traced: a live view of its globals and closure.

Dispatch cannot catch calls without a traced argument (``np.zeros(n)``) nor arrays that f only reads. So f, and
the functions of the same project that it reaches, run on a view of their namespace in which

- ``np`` is a thin module whose ``array``, ``zeros``, ``ones``, ``empty`` and ``full`` hand out traced arrays,
- ``math`` and a few functions of SciPy understand traced values,
- arrays are traced references, so that what f computes from them is recorded too.

NumPy itself is never patched, and the view reads the real namespace at every access. Each name that f read is
remembered, so that rebinding it is noticed.
"""

from __future__ import annotations

import builtins
import functools
import math
import sys
import types
from abc import ABCMeta
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.tracing.replacing import is_instance, replacement
from diffkit.tracing.trace import current_trace, is_plain

_MISSING = object()
_LIFE = frozenset(
    {"__dict__", "__weakref__", "__new__", "__init__", "__del__", "__getattribute__", "__init_subclass__"}
)
_LIBRARY = frozenset({*sys.stdlib_module_names, "numpy", "scipy", "sympy", "diffkit"}) - {"__main__"}
_OWN = ("diffkit.problems", "diffkit.lab")


class Module:
    """A live view of a module."""

    def __init__(self, module: types.ModuleType, namespace: Namespace) -> None:
        self.__dict__["_module"], self.__dict__["_namespace"] = module, namespace

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        return self._namespace.read(self._module.__dict__, name, value)


class Globals(dict[str, Any]):
    """A live view of a function's globals; CPython asks ``__getitem__`` of a subclass of dict."""

    def __init__(self, real: dict[str, Any], namespace: Namespace) -> None:
        super().__init__({"__builtins__": real.get("__builtins__", builtins), "isinstance": is_instance})
        self.real, self.namespace = real, namespace

    def __getitem__(self, name: str) -> Any:
        own = self.get(name, _MISSING)  # a name that f declared global and assigned while traced
        if own is not _MISSING:
            return own
        return self.namespace.read(self.real, name, self.real[name])


class Namespace:
    """The views of one trace, and what f read through them."""

    def __init__(self, function: Any) -> None:
        self.home = _home(getattr(_innermost(function), "__module__", None))
        self.reads: dict[tuple[int, str], tuple[Any, str, Any]] = {}
        self._views: dict[int, tuple[Any, Any]] = {}

    def read(self, container: Any, name: str, value: Any) -> Any:
        """Note what f read, and give its view."""
        seen = self.view(value)
        if not isinstance(value, types.ModuleType) and not _is_library(value, self.home):
            self.reads[id(container), name] = (container, name, value)
            if _home(type(value).__module__) == self.home:
                self._watch(value)
        return seen

    def _watch(self, owner: Any) -> None:
        """Note the attributes of an object that f reads from; one that is set anew is noticed like a name."""
        attributes = getattr(owner, "__dict__", None)
        if type(attributes) is dict:
            for name, value in attributes.items():
                self.reads[id(attributes), name] = (attributes, name, value)

    def view(self, value: Any) -> Any:
        """What f sees instead of a value."""
        if isinstance(value, np.ndarray) and is_plain(value):
            trace = current_trace()
            return trace.reference(value) if trace and value.dtype.kind in "fiub" else value
        replaced = replacement(value)
        if replaced is not None:
            return replaced
        if isinstance(value, types.ModuleType):
            return self._once(value, lambda: Module(value, self)) if self._shown(value) else value
        if isinstance(value, types.FunctionType):
            return value if _is_library(value, self.home) else self._once(value, lambda: self._function(value))
        if self._is_own_object(value):
            return self._once(value, lambda: self._object(value))
        return value

    def _is_own_object(self, value: Any) -> bool:
        """Whether this is an ordinary object of a class of the same project."""
        kind = type(value)
        return (
            type(kind) in (type, ABCMeta)
            and _home(kind.__module__) == self.home
            and type(getattr(value, "__dict__", None)) is dict
            and not any("__init_subclass__" in vars(parent) for parent in kind.__mro__[:-1])  # it would see the view
        )

    def _object(self, value: Any) -> Any:
        """An object that shares all attributes and sees them, and its methods, through the view."""
        kind: Any = type(value)
        attributes = value.__dict__

        def look(seen: Any, name: str) -> Any:
            found = kind.__getattribute__(seen, name)
            return self.read(attributes, name, found) if name in attributes else found

        members = {name: member for parent in reversed(kind.__mro__[:-1]) for name, member in vars(parent).items()}
        seen = {name: self._member(member) for name, member in members.items() if name not in _LIFE}
        try:
            made = object.__new__(type(kind)(kind.__name__, (kind,), {**seen, "__getattribute__": look}))
        except TypeError:  # a subclass of tuple, dict and the like
            return value
        object.__setattr__(made, "__dict__", attributes)
        return made

    def _member(self, member: Any) -> Any:
        if isinstance(member, (staticmethod, classmethod)):
            return type(member)(self.view(member.__func__))
        if isinstance(member, property):
            return property(*map(self.view, (member.fget, member.fset, member.fdel)))
        return self.view(member) if isinstance(member, types.FunctionType) else member

    def callable(self, function: Any) -> Any:
        """The view of f itself, whatever kind of callable it is."""
        if replacement(function) is not None:
            return self.view(function)
        if isinstance(function, types.FunctionType):
            own = _home(function.__globals__.get("__name__")) != "diffkit"
            return self._once(function, lambda: self._function(function)) if own else function
        if isinstance(function, types.MethodType):
            self._watch(function.__self__)
            return types.MethodType(self.callable(function.__func__), self.view(function.__self__))
        if isinstance(function, functools.partial):
            args = [self.view(value) for value in function.args]
            keywords = {name: self.view(value) for name, value in function.keywords.items()}
            return functools.partial(self.callable(function.func), *args, **keywords)
        call = type(function).__call__
        if isinstance(call, types.FunctionType) and not _is_library(call, self.home):
            self._watch(function)
            return types.MethodType(self.callable(call), self.view(function))
        return self.view(function)

    def _shown(self, module: types.ModuleType) -> bool:
        return (
            module is np
            or module is math
            or module.__name__ in ("scipy", "scipy.special")
            or _home(module.__name__) == self.home
        )

    def _once(self, value: Any, make: Callable[[], Any]) -> Any:
        if id(value) not in self._views:
            self._views[id(value)] = (value, None)  # ends the recursion of functions that know each other
            self._views[id(value)] = (value, make())
        made = self._views[id(value)][1]
        return value if made is None else made

    def _function(self, function: types.FunctionType) -> types.FunctionType:
        real = function.__globals__.real if isinstance(function.__globals__, Globals) else function.__globals__
        made = types.FunctionType(
            function.__code__,
            Globals(real, self),
            function.__name__,
            None
            if function.__defaults__ is None
            else tuple(self._default(function, "__defaults__", value) for value in function.__defaults__),
            None if function.__closure__ is None else tuple(map(self._cell, function.__closure__)),
        )
        if function.__kwdefaults__:
            made.__kwdefaults__ = {
                name: self._default(function, "__kwdefaults__", value)
                for name, value in function.__kwdefaults__.items()
            }
        made.__dict__.update(function.__dict__)
        made.__module__ = function.__module__
        return made

    def _default(self, function: types.FunctionType, name: str, value: Any) -> Any:
        self.reads[id(function), name] = (function, name, getattr(function, name))
        return self.view(value)

    def _cell(self, cell: types.CellType) -> types.CellType:
        try:
            value = cell.cell_contents
        except ValueError:  # not assigned yet
            return cell
        seen = self.read(cell, "cell_contents", value)
        return cell if seen is value else types.CellType(seen)

    def unchanged(self) -> bool:
        """Whether every name that f read is still bound to what it was."""
        for container, name, value in self.reads.values():
            if type(container) is dict:
                if container.get(name, _MISSING) is not value:
                    return False
            elif getattr(container, name, _MISSING) is not value:
                return False
        return True


def _innermost(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return function if hasattr(function, "__module__") else type(function)


def _home(module: str | None) -> str:
    """The project that a module belongs to."""
    name = module or "__main__"
    own = next((prefix for prefix in _OWN if name.startswith(prefix)), None)
    return own or name.partition(".")[0]


def _is_library(value: Any, home: str) -> bool:
    if not isinstance(value, types.FunctionType):
        return False
    # Where the code stands: functools.wraps gives a wrapper the __module__ of what it wraps.
    module = value.__globals__.get("__name__") or "__main__"
    if _home(module) == home:
        return False
    if _home(module) in _LIBRARY:
        return True
    file = value.__code__.co_filename
    return "site-packages" in file or "dist-packages" in file
