"""Recording derivative graphs: what methods share when they read a graph and write another."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit import trees
from diffkit.differentiators.programs import check_dense
from diffkit.graph import IDENTITY, INPUT, Graph, Step
from diffkit.primitives import convert, where
from diffkit.simplify import simplify
from diffkit.sweeps import Cotangent, Dual, forward_sweep, return_sweep
from diffkit.tracing import Trace, replay


@dataclass(frozen=True, eq=False)
class Recording:
    """A derivative being recorded: f's graph, and the tracers that stand for its inputs.

    Attributes
    ----------
    trace
        Where the derivative is recorded.
    graph
        f's graph; its outputs are the result only.
    arguments
        A tracer for each input of f.
    wanted
        For each input, whether f is differentiated by it.
    """

    trace: Trace
    graph: Graph
    arguments: list[Any]
    wanted: tuple[bool, ...]

    @property
    def inputs(self) -> list[Any]:
        """The inputs that f is differentiated by."""
        return [argument for argument, flag in zip(self.arguments, self.wanted, strict=True) if flag]

    @property
    def outputs(self) -> list[Any]:
        """The leaves of f's result (anything with a shape and a dtype)."""
        return [self.graph.steps[position] for position in self.graph.outputs]

    def directions(self, like: Sequence[Any], count: tuple[int, ...] = ()) -> list[Any]:
        """More inputs of the derivative graph: directions that the caller gives, ``(*count, *shape)`` each."""
        return [self.trace.abstract_input(_Shaped((*count, *leaf.shape), leaf.dtype)) for leaf in like]

    def identity(self, like: Sequence[Any]) -> list[Any]:
        """All directions at once: the identity matrix, cut into the shapes of the leaves."""
        total, offset, seeds = trees.total_size(like), 0, []
        for leaf in like:
            params = {"rows": total, "offset": offset, "shape": tuple(leaf.shape), "dtype": leaf.dtype}
            seeds.append(self.trace.leaf(IDENTITY, params))
            offset += math.prod(leaf.shape)
        return seeds

    def ones(self, like: Sequence[Any]) -> list[Any]:
        """One direction: the seed of a gradient."""
        return [self.trace.constant(np.ones(leaf.shape, leaf.dtype)) for leaf in like]

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """A forward sweep from a tangent per wanted input; a tangent per output, None where zero."""
        given = iter(tangents)
        duals = [
            Dual(argument, next(given) if flag else None)
            for argument, flag in zip(self.arguments, self.wanted, strict=True)
        ]
        return [dual.tangent for dual in forward_sweep(self.trace, self.graph, duals)]

    def pull(self, cotangents: Sequence[Any], reaches: Sequence[Any] | None = None) -> list[Any]:
        """A return sweep from a cotangent per output; a cotangent per wanted input, None where zero.

        ``reaches`` says of each output where its cotangent can be other than zero; by default everywhere.
        """
        return [None if sent is None else sent.value for sent in self._returned(cotangents, reaches)]

    def reaches(self) -> list[Any]:
        """Where the cotangent of each wanted input can be other than zero, behind selections; None where everywhere."""
        if not any(step.op is where for step in self.graph.steps):
            return [None] * len(self.inputs)
        return [None if sent is None else sent.reach for sent in self._returned(self.ones(self.outputs), None)]

    def _returned(self, cotangents: Sequence[Any], reaches: Sequence[Any] | None) -> list[Cotangent | None]:
        seeds = map(Cotangent, cotangents, reaches or [None] * len(cotangents))
        _, found = return_sweep(self.trace, self.graph, self.arguments, list(seeds), self.wanted)
        return [sent for sent, flag in zip(found, self.wanted, strict=True) if flag]

    def halves(self, cut: Sequence[int]) -> tuple[Recording, Recording]:
        """Cut f in two at some steps: the first half has them as its outputs, the second as its wanted inputs."""
        values = replay(self.trace, self.graph, self.arguments)
        steps = list(self.graph.steps)
        for position in cut:
            steps[position] = Step(INPUT, (), {}, steps[position].shape, steps[position].dtype)
        before = Graph(self.graph.steps, self.graph.inputs, tuple(cut))
        after = Graph(tuple(steps), (*self.graph.inputs, *cut), self.graph.outputs)
        given = [*self.arguments, *(values[position] for position in cut)]
        wanted = (*[False] * len(self.arguments), *[True] * len(cut))
        return (
            Recording(self.trace, before, self.arguments, self.wanted),
            Recording(self.trace, after, given, wanted),
        )

    def rows(self, values: Sequence[Any], like: Sequence[Any], count: int) -> Any:
        """K directions over several leaves as one matrix ``(K, entries)``; zeros where a sweep found nothing."""
        flat = []
        for value, leaf in zip(values, like, strict=True):
            shape = (count, math.prod(leaf.shape))
            zero = value is None
            flat.append(self.trace.constant(np.zeros(shape, leaf.dtype)) if zero else np.reshape(value, shape))
        return np.concatenate(flat, axis=1) if len(flat) > 1 else flat[0]

    def filled(self, values: Sequence[Any], like: Sequence[Any]) -> list[Any]:
        """Zeros where a sweep found nothing."""
        return [
            self.trace.constant(np.zeros(leaf.shape, leaf.dtype)) if value is None else value
            for value, leaf in zip(values, like, strict=True)
        ]

    def flat(self, values: Sequence[Any]) -> Any:
        """Leaves as one flat vector."""
        return trees.join(values)

    def split(self, flat: Any, like: Sequence[Any]) -> list[Any]:
        """A flat vector as leaves."""
        return trees.split(flat, like)


@dataclass(frozen=True, slots=True)
class _Shaped:
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def record(graph: Graph, results: int, wanted: tuple[bool, ...], make: Callable[[Recording], list[Any]]) -> Graph:
    """Record what ``make`` computes from a graph, and simplify it.

    ``graph`` has ``results`` outputs that are its result; further ones are extra, and come last again. Guards are kept.
    """
    trace = Trace(frozen=True)
    main = Graph(graph.steps, graph.inputs, graph.outputs[:results])
    with trace.recording():
        arguments = [trace.abstract_input(graph.steps[position]) for position in graph.inputs]
        recording = Recording(trace, main, arguments, wanted)
        made = make(recording)
        if recording.outputs:
            dtype = np.result_type(*[leaf.dtype for leaf in recording.outputs])
            made = [value if value.dtype == dtype else convert(value, dtype=dtype) for value in made]
        extra: list[Any] = []
        if graph.guards or len(graph.outputs) > results:  # simplification shares these steps with the derivative's
            values = replay(trace, graph, arguments)
            extra = [values[position] for position in graph.outputs[results:]]
        return simplify(trace.graph([*made, *extra]))


def forward_jacobian(recording: Recording) -> list[Any]:
    """The Jacobian ``(B, A)`` by one forward sweep in all directions."""
    inputs, outputs = recording.inputs, recording.outputs
    check_dense(trees.total_size(outputs), trees.total_size(inputs))
    tangents = recording.push(recording.identity(inputs))
    return [np.transpose(recording.rows(tangents, outputs, trees.total_size(inputs)))]


def forward_direction(recording: Recording) -> list[Any]:
    """A tangent per output by one forward sweep in one direction, which the caller gives."""
    tangents = recording.push(recording.directions(recording.inputs))
    return recording.filled(tangents, recording.outputs)
