"""From a plain-NumPy function to a graph: f runs once on stand-ins that record."""

from diffkit.tracing import lowering, methods
from diffkit.tracing.calling import Traced, call_function, trace_function
from diffkit.tracing.trace import Trace, current_trace, replay
from diffkit.tracing.tracer import Tracer

__all__ = [
    "Trace",
    "Traced",
    "Tracer",
    "call_function",
    "current_trace",
    "lowering",
    "methods",
    "replay",
    "trace_function",
]
