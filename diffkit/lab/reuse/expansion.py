"""A gradient by the chain rule written out, path by path, counted while it is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit import trees
from diffkit.lab.reuse.scalars import Edge, Scalars


@dataclass(frozen=True)
class Counts:
    """What a gradient takes, in scalar operations.

    Attributes
    ----------
    evaluations
        Of functions, one entry each.
    partials
        Of functions, one entry by one operand each.
    multiplications, additions
        Of partials and of products of them.
    """

    evaluations: int = 0
    partials: int = 0
    multiplications: int = 0
    additions: int = 0

    @property
    def total(self) -> int:
        """All together."""
        return self.evaluations + self.partials + self.multiplications + self.additions


class Expansion:
    """The chain rule on numbers: a product per path, and nothing kept but what is asked for."""

    def __init__(self, scalars: Scalars, *, keep_values: bool) -> None:
        self.scalars = scalars
        self.kept: dict[int, float] | None = {} if keep_values else None
        self.evaluations = self.partials = self.multiplications = self.additions = 0

    def run(self, x: Any) -> tuple[Any, Counts]:
        """The gradient, in the containers and shapes of x, and what it took."""
        terms: dict[int, list[float]] = {node: [] for node in self.scalars.inputs}
        for path, start in self._paths():
            terms[start].append(self._product(path))
        gradient = [self._sum(found) for found in terms.values()]
        leaves, structure = trees.flatten(x)
        pieces = trees.split(np.array(gradient), [np.asarray(leaf) for leaf in leaves])
        counts = Counts(self.evaluations, self.partials, self.multiplications, self.additions)
        return structure.unflatten([piece if piece.ndim else piece[()] for piece in pieces]), counts

    def _paths(self) -> Iterator[tuple[list[tuple[int, Edge]], int]]:
        """Every path from an output back to an input, as edges, and that input."""
        inputs = set(self.scalars.inputs)
        ahead: list[tuple[int, list[tuple[int, Edge]]]] = [(node, []) for node in self.scalars.outputs]
        while ahead:
            node, path = ahead.pop()
            if node in inputs:
                yield path, node
            ahead += [(edge.source, [*path, (node, edge)]) for edge in self.scalars.edges[node]]

    def _product(self, path: list[tuple[int, Edge]]) -> float:
        factors = [self._partial(node, edge) for node, edge in path if self.scalars.computes[node]]
        self.multiplications += max(0, len(factors) - 1)
        return float(np.prod(factors))

    def _sum(self, terms: list[float]) -> float:
        self.additions += max(0, len(terms) - 1)
        return float(np.sum(terms))

    def _partial(self, node: int, edge: Edge) -> float:
        self.partials += 1
        return self.scalars.partial(node, edge, self._operands(node))

    def _operands(self, node: int) -> dict[Edge, float]:
        return {edge: self._value(edge.source) for edge in self.scalars.edges[node]}

    def _value(self, node: int) -> float:
        """Evaluate a node, and its operands before it, each time that it is asked for, unless values are kept."""
        if self.kept is not None and node in self.kept:
            return self.kept[node]
        operands = self._operands(node)
        found = float(self.scalars.value(node, operands)) if operands else self._input(node)
        self.evaluations += self.scalars.computes[node] and bool(operands)
        if self.kept is not None:
            self.kept[node] = found
        return found

    def _input(self, node: int) -> float:
        position = self.scalars.home[node]
        return float(np.ravel(self.scalars.values[position])[node - self.scalars.starts[position]])
