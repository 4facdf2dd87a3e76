"""A trace: the list of steps being recorded, the values behind it, and the guards it took.

Traces nest: a derivative inside f is traced one level deeper. An op records on the innermost trace among its
operands, and operands of outer traces enter it as references. That is all that nested differentiation needs
(the classic test: d/dx [x * d/dy (x + y)] = 1 at x = 1).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from diffkit.errors import TracingError
from diffkit.graph import CONSTANT, INPUT, REFERENCE, Graph, Guard, Step
from diffkit.ops import Op, Recorded

_active = threading.local()


FIXED, MUTABLE, VARYING = 0, 1, 2
"""A step depends on constants only; on an array of the user's, which may change in place; on an input."""


def is_plain(array: np.ndarray[Any, Any]) -> bool:
    """Whether an array means what NumPy's own do: matrices and masked arrays do not."""
    return type(array) is np.ndarray or isinstance(array, np.memmap)


def current_trace() -> Trace | None:
    """The innermost trace of this thread, or None."""
    stack = getattr(_active, "stack", None)
    return stack[-1] if stack else None


def _check_alive(outer: Trace, level: int) -> None:
    """A value may come from a trace around this one, and from no other."""
    stack = getattr(_active, "stack", ())
    if not (outer.level < level and outer in stack):
        raise TracingError(
            "a traced value outlived the call of the function that it belongs to (it was stored in a global, an "
            "attribute, a list, or an array of an outer function); return it instead (has_aux=True for extra results)"
        )


class _Met(NamedTuple):
    """A plain array that f used while traced."""

    position: int
    array: Any
    then: Any

    def unchanged(self) -> bool:
        """Whether f has not written into it since."""
        same = np.array_equal(self.array, self.then)  # looking for NaN as well takes five times as long
        return same or np.array_equal(self.array, self.then, equal_nan=self.then.dtype.kind == "f")


class Trace:
    """Steps being recorded.

    Parameters
    ----------
    frozen
        Plain arrays that enter are constants (a derivative rule made them) instead of references (the user's).
    """

    def __init__(self, *, frozen: bool = False) -> None:
        outer = current_trace()
        self.level: int = outer.level + 1 if outer else 0
        self.frozen = frozen
        self.steps: list[Step] = []
        self.inputs: list[int] = []
        self.variance: list[int] = []  # what each step depends on: FIXED, MUTABLE or VARYING
        self.values: dict[int, Any] = {}
        self.guards: dict[int, Any] = {}
        self.layouts: dict[int, Any] = {}  # small arrays that lie in memory as the steps do (`diffkit.tracing.layouts`)
        self._constants: dict[Any, int] = {}
        self._references: dict[Any, int] = {}
        self._met: dict[int, _Met] = {}

    @contextmanager
    def recording(self) -> Iterator[Trace]:
        """Make this the innermost trace of the thread."""
        stack = _active.__dict__.setdefault("stack", [])
        stack.append(self)
        try:
            yield self
        finally:
            stack.pop()

    # ------------------------------------------------------------ leaves

    def input(self, value: Any) -> Any:
        """Add an argument, with the value that branch decisions are answered from."""
        position = self._leaf(INPUT, {}, value, VARYING)
        self.values[position] = value
        self.inputs.append(position)
        return self.tracer(position)

    def abstract_input(self, like: Any) -> Any:
        """Add an argument of which only shape and dtype are known."""
        position = self._leaf(INPUT, {}, like, VARYING)
        self.inputs.append(position)
        return self.tracer(position)

    def constant(self, value: Any) -> Any:
        """Add a value that never changes."""
        array = np.asarray(value)
        key = (array.dtype.str, array.item(), str(array)) if array.ndim == 0 else None
        position = self._constants.get(key) if key else None
        if position is None:
            position = self._leaf(CONSTANT, {"value": array}, array, FIXED)
            self.values[position] = array
            if key:
                self._constants[key] = position
        return self.tracer(position)

    def reference(self, value: Any) -> Any:
        """Add an array of the user's (by reference), or a tracer of an outer trace."""
        if isinstance(value, Recorded) and value.recorder is self:
            return value
        if isinstance(value, Recorded):
            _check_alive(value.recorder, self.level)
            key: Any = (value.level, value.index)
        else:
            key = id(value)
        position = self._references.get(key)
        if position is None:
            if isinstance(value, Recorded):
                value = value.snapshot()
                variance = max(value.recorder.variance[value.index], MUTABLE)
            else:
                variance = MUTABLE
            position = self._leaf(REFERENCE, {"value": value}, value, variance)
            self._references[key] = position
        made = self.tracer(position)
        made.outside = True
        return made

    def _meet(self, value: Any) -> int:
        """The position of a plain array: by reference if it is the user's, as it is now if f itself fills it."""
        met = self._met.get(id(value))
        if met is None or not met.unchanged():
            position = self._leaf(REFERENCE, {"value": value}, value, MUTABLE)
            self.values[position] = value.copy()
            if met:
                self._freeze(met)
            met = self._met[id(value)] = _Met(position, value, self.values[position])
        return met.position

    def _freeze(self, met: _Met) -> None:
        """F changed the array after it was used: this step keeps what it was."""
        self.steps[met.position] = Step(CONSTANT, (), {"value": met.then}, met.then.shape, met.then.dtype)

    def _leaf(self, op: Op, params: dict[str, Any], like: Any, variance: int) -> int:
        self.steps.append(Step(op, (), params, tuple(like.shape), like.dtype))
        self.variance.append(variance)
        return len(self.steps) - 1

    def leaf(self, op: Op, params: dict[str, Any]) -> Any:
        """Add a step without operands."""
        self.steps.append(Step(op, (), params, *op.infer((), params)))
        self.variance.append(FIXED)
        return self.tracer(len(self.steps) - 1)

    # ------------------------------------------------------------ steps

    def record(self, op: Op, operands: Sequence[Any], params: dict[str, Any]) -> Any:
        """Append a step; operands that are not of this trace are lifted into it."""
        positions = [self.lift(operand, operands) for operand in operands]
        steps = [self.steps[position] for position in positions]
        try:
            shape, dtype = op.infer(steps, params)
        except (ValueError, TypeError) as error:
            shapes = ", ".join(str(step.shape) for step in steps)
            raise TracingError(f"{op.name} of shapes {shapes}: {error}") from error
        return self.append(Step(op, tuple(positions), params, shape, dtype))

    def append(self, step: Step) -> Any:
        """Append a finished step."""
        self.steps.append(step)
        self.variance.append(max([self.variance[position] for position in step.operands], default=FIXED))
        return self.tracer(len(self.steps) - 1)

    def lift(self, value: Any, partners: Sequence[Any] = ()) -> int:
        """The position of a value in this trace, added if it is not there yet."""
        if isinstance(value, Recorded):
            if value.recorder is self:
                return value.index
            return self.reference(value).index
        if isinstance(value, (bool, int, float)):
            dtypes = [partner.dtype for partner in partners if hasattr(partner, "dtype")]
            return self.constant(np.asarray(value, np.result_type(*dtypes, value))).index
        if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "fiub" and not self.frozen:
            if not is_plain(value):
                raise TracingError(
                    f"a {type(value).__name__} meets a traced value: its arithmetic is not an array's; "
                    "convert it with np.asarray outside f"
                )
            return self._meet(value)
        return self._lift_other(value)

    def _lift_other(self, value: Any) -> int:
        array = np.asarray(value)
        if array.dtype == object:
            from diffkit.tracing.creating import from_objects

            return self.lift(from_objects(array))
        if array.dtype.kind not in "fiub":
            raise TracingError(
                f"a {type(value).__name__} of dtype {array.dtype} meets a traced value; "
                "diffkit differentiates real numbers: split complex ones into real and imaginary parts"
            )
        return self.constant(array).index

    def tracer(self, position: int) -> Any:
        """A stand-in for the step at a position."""
        from diffkit.tracing.array_tracer import ArrayTracer
        from diffkit.tracing.tracer import Tracer

        return (ArrayTracer if self.steps[position].shape else Tracer)(self, position)

    # ------------------------------------------------------------ values and guards

    def value(self, position: int) -> Any:
        """What the step is at the point that f is traced at, computed when first asked for."""
        pending = [position]
        while pending:
            here = pending[-1]
            if here in self.values:
                pending.pop()
                continue
            step = self.steps[here]
            missing = [operand for operand in step.operands if operand not in self.values]
            if missing:
                pending.extend(missing)
                continue
            self.values[here] = self._compute(step)
            pending.pop()
        return self.values[position]

    def _compute(self, step: Step) -> Any:
        if step.op is REFERENCE:
            source = step.params["value"]
            return source.recorder.value(source.index) if isinstance(source, Recorded) else source
        if step.op is INPUT:
            raise TracingError(
                "a derivative rule asks for the value of what it is given (an if, float() or a mask); "
                "write the rule with np.where instead"
            )
        with np.errstate(all="ignore"):
            return step.op.evaluate(*[self.values[operand] for operand in step.operands], **step.params)

    def decide(self, position: int) -> Any:
        """The value of a step that f is about to act upon: recorded as a guard if it can change."""
        value = self.value(position)
        if isinstance(value, Recorded):  # what f is given belongs to an outer trace
            value = value.decide()
        for watched in self._watched(position):
            if watched not in self.guards:
                self.guards[watched] = np.array(value if watched == position else self.value(watched))
        return value

    def _watched(self, position: int) -> list[int]:
        """The steps that decide about a value.

        A real number made from the user's arrays is rounded otherwise by another engine, so these are watched instead.
        """
        if self.variance[position] == FIXED:
            return []
        if self.variance[position] == VARYING or self.steps[position].dtype.kind != "f":
            return [position]
        sources, pending, seen = [], [position], {position}
        while pending:
            here = pending.pop()
            fresh = {operand for operand in self.steps[here].operands if self.variance[operand] != FIXED} - seen
            seen |= fresh
            pending += fresh
            if not self.steps[here].operands:
                sources.append(here)
        return sorted(sources)

    def graph(self, outputs: Sequence[Any]) -> Graph:
        """Close the list."""
        positions = tuple(self.lift(output) for output in outputs)
        for met in self._met.values():
            if not met.unchanged():
                self._freeze(met)
        guards = tuple(Guard(position, expected) for position, expected in self.guards.items())
        return Graph(tuple(self.steps), tuple(self.inputs), positions, guards)


def replay(trace: Trace, graph: Graph, arguments: Sequence[Any]) -> list[Any]:
    """Record a graph's steps on a trace, its inputs standing for ``arguments``; the tracers of all steps."""
    tracers: list[Any] = []
    given = dict(zip(graph.inputs, arguments, strict=True))
    for position, step in enumerate(graph.steps):
        if position in given:
            tracers.append(given[position])
        elif step.op is CONSTANT:
            tracers.append(trace.constant(step.params["value"]))
        elif step.op is REFERENCE:
            tracers.append(trace.reference(step.params["value"]))
        elif not step.operands:
            tracers.append(trace.leaf(step.op, step.params))
        else:
            tracers.append(trace.record(step.op, [tracers[operand] for operand in step.operands], step.params))
    for guard in graph.guards:
        trace.guards[tracers[guard.position].index] = guard.expected
    return tracers
