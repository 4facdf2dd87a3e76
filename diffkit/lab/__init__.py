"""The lab: what a course on backpropagation shows on the blackboard, running. Its pages are in docs/lab.

>>> from diffkit import lab
>>> lab.data.get("band").X.shape
(2, 400)
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

_SUBJECTS = sorted(module.name for module in iter_modules(__path__))


def __getattr__(name: str) -> ModuleType:  # a subject is imported when first used: drawing costs more than learning
    if name not in _SUBJECTS:
        raise AttributeError(f"module 'diffkit.lab' has no attribute {name!r}; it has {', '.join(_SUBJECTS)}")
    return import_module(f"diffkit.lab.{name}")


def __dir__() -> list[str]:
    return _SUBJECTS
