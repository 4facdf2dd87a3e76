"""Engines: how a graph becomes a callable. Every method runs on every engine."""

from diffkit.engines.base import Compiled, Engine, check_engine, engine, engine_names
from diffkit.engines.interpreted import Interpreted
from diffkit.engines.numpy_source import NumpySource

__all__ = ["Compiled", "Engine", "Interpreted", "NumpySource", "check_engine", "engine", "engine_names"]
