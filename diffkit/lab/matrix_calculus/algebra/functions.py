"""Functions of matrix expressions: products entry by entry, indicators, traces, sums, powers, inverses."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

from diffkit.lab.matrix_calculus.algebra.terms import (
    Factor,
    Matrix,
    Term,
    Word,
    add,
    collect,
    function,
    multiply,
    number,
    ones,
    plainness,
    reverse,
    settled,
    single,
    unit,
)

NEGATIONS = {">": "≤", "<": "≥", "=": "≠"}
NEGATIONS |= {other: one for one, other in NEGATIONS.items()}


def single_entry(shape: tuple[int, int], row: int, column: int) -> Matrix:
    """The matrix with 1 in one entry and 0 in the others, e_i e_j'; of a column, e_i."""
    left = unit(shape[0], row)
    return left if shape[1] == 1 else multiply(left, unit(shape[1], column).transposed)


# ------------------------------------------------------------ entry by entry


def times(left: Matrix, right: Matrix) -> Matrix:
    """The product entry by entry, of one shape."""
    if left.scalar:
        return multiply(left, right)
    made = collect(*left.shape, [])
    for a in left.terms:
        for b in right.terms:
            scale = collect(1, 1, [settled(a.coefficient * b.coefficient, a.scalars + b.scalars, ())])
            made = add(made, multiply(scale, _times([*_parts(a.word, left), *_parts(b.word, left)], ones(*left.shape))))
    return made


def _parts(word: Word, like: Matrix) -> Sequence[Matrix]:
    """What a word is the product of, entry by entry."""
    if len(word) == 1 and word[0].calls("times"):
        return [part.transposed for part in word[0].of] if word[0].turned else word[0].of
    return [collect(*like.shape, [Term(1.0, (), word)])]


def _times(parts: Sequence[Matrix], flat: Matrix) -> Matrix:
    """In order, without the matrix of ones, what cancels, and indicators that are there already."""
    kept: list[Matrix] = []
    for part in sorted(parts):
        undone = next((one for one in kept if _reciprocates(one, part) or _reciprocates(part, one)), None)
        if undone is not None:
            kept.remove(undone)
        elif part != flat and not (part in kept and is_indicator(part)):
            kept.append(part)
    if len(kept) < 2:
        return kept[0] if kept else flat
    return function("times", *flat.shape, *kept, symmetric=all(part.symmetric for part in kept))


def _reciprocates(one: Matrix, other: Matrix) -> bool:
    return one == function("reciprocal", *other.shape, other)


def _only(matrix: Matrix) -> Factor | None:
    """The one factor of an expression that has no other, and no number."""
    if len(matrix.terms) != 1 or matrix.terms[0].coefficient != 1:
        return None
    _, scalars, word = matrix.terms[0]
    factors = [*word, *(factor for factor, power in scalars if power == 1)]
    return factors[0] if len(factors) == len(word) + len(scalars) == 1 else None


def is_indicator(matrix: Matrix) -> bool:
    """Whether its entries are 1 where a comparison holds and 0 elsewhere."""
    factor = _only(matrix)
    return factor is not None and factor.indicates


def negated(mask: Matrix) -> Matrix:
    """1 where a mask is 0, and 0 where it is 1."""
    factor = _only(mask)
    if factor is not None and factor.indicates:
        return single(factor._replace(name=NEGATIONS[factor.name]))
    return add(ones(*mask.shape), multiply(number(-1.0), mask))


def tied(mask: Matrix, other: Matrix) -> bool:
    """Whether these are [x = y] and [x > y], or [x < y], of the same x and y: where max and min have no derivative."""
    equal, larger = _only(mask), _only(other)
    if equal is None or larger is None or not (equal.calls("=") and larger.calls(">", "<")):
        return False
    return set(equal.of) == set(larger.of)


# ------------------------------------------------------------ to scalars


def trace(matrix: Matrix) -> Matrix:
    """The sum of the diagonal; a trace of a column times a row is the row times the column."""
    made = number(0.0)
    for coefficient, scalars, word in matrix.terms:
        cut = next((k + 1 for k, factor in enumerate(word) if factor.columns == 1), None)
        if not word:
            term = Term(coefficient * matrix.rows, scalars, ())
        elif cut is not None:
            term = settled(coefficient, scalars, word[cut:] + word[:cut])
        else:
            turns = [w[k:] + w[:k] for w in (word, reverse(word)) for k in range(len(word))]
            first = min(turns, key=plainness)
            inside = Matrix(first[0].rows, first[-1].columns, (Term(1.0, (), first),))
            term = settled(coefficient, (*scalars, (Factor("trace", 1, 1, (inside,)), 1.0)), ())
        made = add(made, collect(1, 1, [term]))
    return made


def total(matrix: Matrix) -> Matrix:
    """The sum of all entries: of a product entry by entry it is a scalar product, or a trace, but for what selects."""
    made = number(0.0)
    for coefficient, scalars, word in matrix.terms:
        if len(word) == 1 and word[0].calls("times") and not any(map(is_indicator, word[0].of)):
            first, *rest = word[0].of
            found = trace(multiply(first.transposed, functools.reduce(times, rest)))
        elif len(word) == 1 and word[0].calls("diagonal"):
            found = trace(word[0].of[0])
        else:
            inside = collect(*matrix.shape, [Term(1.0, (), word)])
            left, right = ones(matrix.rows).transposed, ones(matrix.columns)
            found = multiply(multiply(left, inside), right)
        made = add(made, multiply(found, collect(1, 1, [Term(coefficient, scalars, ())])))
    return made


def power(scalar: Matrix, exponent: float) -> Matrix:
    """A scalar to a power; roots of powers stay together, since the square root of t^2 is not t, nor that of st two."""
    if not scalar.terms and exponent > 0:
        return scalar
    if len(scalar.terms) == 1:
        coefficient, scalars, _ = scalar.terms[0]
        whole = float(exponent).is_integer()
        apart = coefficient > 0 and sum(not _is_square(factor) for factor, _ in scalars) <= 1
        if whole or (apart and all(inner == 1 for _, inner in scalars)):
            raised = tuple((factor, inner * exponent) for factor, inner in scalars)
            return collect(1, 1, [settled(math.pow(coefficient, exponent), raised, ())])
    return collect(1, 1, [Term(1.0, ((Factor("group", 1, 1, (scalar,)), float(exponent)),), ())])


def _is_square(factor: Factor) -> bool:
    """Whether a scalar is x'x, x'B'Bx or trace(X'X), which cannot be negative."""
    if not factor.calls("product", "trace"):
        return False
    word = factor.of[0].terms[0].word
    return len(word) % 2 == 0 and word == reverse(word)


def inverse(matrix: Matrix) -> Matrix:
    """The inverse; of a product of square matrices it is the product of theirs, in the other order."""
    if matrix.scalar:
        return power(matrix, -1.0)
    if len(matrix.terms) != 1 or any(factor.rows != factor.columns for factor in matrix.terms[0].word):
        return function("inv", *matrix.shape, matrix, symmetric=matrix.symmetric)
    coefficient, scalars, word = matrix.terms[0]
    made = number(1.0, matrix.rows)
    for factor in reversed(word):
        made = multiply(made, _inverse_of(factor))
    swapped = tuple((factor, -exponent) for factor, exponent in scalars)
    return multiply(collect(1, 1, [Term(1 / coefficient, swapped, ())]), made)


def _inverse_of(factor: Factor) -> Matrix:
    plain = factor.transposed if factor.turned else factor
    if plain.calls("inv"):
        return plain.of[0].transposed if factor.turned else plain.of[0]
    return single(Factor("inv", factor.rows, factor.columns, (single(plain),), factor.turned, factor.symmetric))
