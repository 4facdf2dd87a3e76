"""Matrix expressions in one normal form, so that equal ones are equal: a sum of numbers times scalars times words.

::

    matrix := shape, terms                           a sum; without terms it is zero
    term   := coefficient, scalars, word             such as 2 (a'x) B'x
    scalar := factor (1 x 1), power                  products like a'x are written the way that comes first
    word   := factors, multiplied                    without factors it is the identity
    factor := a name, perhaps transposed; or a function of matrices

No rule here knows a derivative. The rules that matter: transposition reverses words, ``x'Bx`` is a scalar and equals
its transpose, and a trace may be turned round.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias


class Factor(NamedTuple):
    """What a word is made of: a named matrix, or a function (``of``) of matrices."""

    name: str
    rows: int
    columns: int
    of: tuple[Matrix, ...] = ()
    turned: bool = False
    symmetric: bool = False

    def calls(self, name: str) -> bool:
        """Whether it is that function; an argument may have its name."""
        return self.name == name and bool(self.of)

    @property
    def transposed(self) -> Factor:
        """The same, with rows and columns exchanged."""
        if self.symmetric or self.rows == self.columns == 1:
            return self
        return self._replace(rows=self.columns, columns=self.rows, turned=not self.turned)


Word: TypeAlias = tuple[Factor, ...]
Scalars: TypeAlias = tuple[tuple[Factor, float], ...]


class Term(NamedTuple):
    """A number times scalars times a word."""

    coefficient: float
    scalars: Scalars
    word: Word


def as_columns(shape: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of an array of at most two axes: a vector is a column."""
    rows, columns = (*shape, 1, 1)[:2]
    return rows, columns


class Matrix(NamedTuple):
    """A sum of terms of one shape, in normal form; vectors are columns, scalars are 1 x 1."""

    rows: int
    columns: int
    terms: tuple[Term, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.columns

    @property
    def scalar(self) -> bool:
        """Whether it is one number."""
        return self.shape == (1, 1)

    @property
    def transposed(self) -> Matrix:
        """The transpose."""
        terms = [term._replace(word=_reversed(term.word)) for term in self.terms]
        return collect(self.columns, self.rows, terms)

    @property
    def symmetric(self) -> bool:
        """Whether it equals its transpose, whatever the names stand for."""
        return self == self.transposed


def _reversed(word: Word) -> Word:
    return tuple(factor.transposed for factor in reversed(word))


# ------------------------------------------------------------ making


def single(factor: Factor) -> Matrix:
    """A matrix of one factor."""
    return collect(factor.rows, factor.columns, [_settled(1.0, (), (factor,))])


def named(name: str, rows: int, columns: int, *, symmetric: bool = False) -> Matrix:
    """A matrix that has a name."""
    return single(Factor(name, rows, columns, symmetric=symmetric))


def number(value: float, size: int = 1) -> Matrix:
    """A number; of another size, that number times the identity."""
    return collect(size, size, [Term(float(value), (), ())])


def ones(rows: int, columns: int = 1) -> Matrix:
    """Ones everywhere: the vector 1, or 1 1'."""
    column = single(Factor("1", rows, 1)) if rows > 1 else number(1.0)
    row = single(Factor("1", columns, 1).transposed) if columns > 1 else number(1.0)
    return multiply(column, row)


def function(name: str, rows: int, columns: int, *of: Matrix, symmetric: bool = False) -> Matrix:
    """A function of matrices that stays as it is."""
    return single(Factor(name, rows, columns, tuple(of), symmetric=symmetric))


def collect(rows: int, columns: int, terms: Iterable[Term]) -> Matrix:
    """Add terms up: equal ones become one, and those that cancel go."""
    sums: dict[tuple[Scalars, Word], float] = {}
    for coefficient, scalars, word in terms:
        sums[scalars, word] = sums.get((scalars, word), 0.0) + coefficient
    kept = [Term(total, scalars, word) for (scalars, word), total in sums.items() if total]
    return Matrix(rows, columns, tuple(sorted(kept, key=lambda term: (term.word, term.scalars))))


# ------------------------------------------------------------ products


def add(left: Matrix, right: Matrix) -> Matrix:
    """Left + right, of one shape."""
    return collect(*left.shape, [*left.terms, *right.terms])


def multiply(left: Matrix, right: Matrix) -> Matrix:
    """The matrix product; a scalar may stand on either side."""
    if left.scalar or right.scalar:
        rows, columns = right.shape if left.scalar else left.shape
    else:
        rows, columns = left.rows, right.columns
    terms = [term for a in left.terms for b in right.terms for term in _product(a, b)]
    return collect(rows, columns, terms)


def _product(left: Term, right: Term) -> Iterable[Term]:
    """One term times another; diag(v) times the vector 1 is v."""
    coefficient, scalars = left.coefficient * right.coefficient, left.scalars + right.scalars
    word = left.word + right.word
    for spot, (first, second) in enumerate(pairwise(word)):
        if first.calls("diag") and (second.name, second.columns) == ("1", 1):
            rest = Term(coefficient, scalars, word[:spot]), Term(1.0, (), word[spot + 2 :])
            return [t for v in first.of[0].terms for u in _product(rest[0], v) for t in _product(u, rest[1])]
    return [_settled(coefficient, scalars, word)]


def _settled(coefficient: float, scalars: Scalars, word: Word) -> Term:
    """Normal form of one term: inverses cancel, and whatever is 1 x 1 leaves the word."""
    word = _cancelled(word)
    while (found := _inner(word)) is not None:
        start, stop = found
        if all(factor.name == "1" for factor in word[start:stop]):
            coefficient *= word[start].columns  # 1'1
        else:
            scalars += ((_as_scalar(word[start:stop]), 1.0),)
        word = _cancelled(word[:start] + word[stop:])
    powers: dict[Factor, float] = {}
    for factor, power in scalars:
        powers[factor] = powers.get(factor, 0.0) + power
    return Term(coefficient, tuple(sorted((f, p) for f, p in powers.items() if p)), word)


def _inner(word: Word) -> tuple[int, int] | None:
    """Where a row times ... times a column stands in a word."""
    start = None
    for position, factor in enumerate(word):
        if factor.rows == 1:
            start = position
        if factor.columns == 1 and start is not None:
            return start, position + 1
    return None


def _as_scalar(word: Word) -> Factor:
    if len(word) == 1:
        return word[0]
    return Factor("product", 1, 1, (Matrix(1, 1, (Term(1.0, (), min(word, _reversed(word), key=_plainness)),)),))


def _plainness(word: Word) -> tuple[int, list[bool], Word]:
    """Fewest transposes first, and those in front: x'Bb rather than b'B'x."""
    return sum(factor.turned for factor in word), [not factor.turned for factor in word], word


def _cancelled(word: Word) -> Word:
    kept: list[Factor] = []
    for factor in word:
        if kept and (_undoes(kept[-1], factor) or _undoes(factor, kept[-1])):
            kept.pop()
        else:
            kept.append(factor)
    return tuple(kept)


def _undoes(inverse: Factor, factor: Factor) -> bool:
    if not inverse.calls("inv"):
        return False
    inside = inverse.of[0].transposed if inverse.turned else inverse.of[0]
    return inside == single(factor)


def times(left: Matrix, right: Matrix) -> Matrix:
    """The product entry by entry, of one shape."""
    if left.scalar:
        return multiply(left, right)
    flat = ones(*left.shape)
    if flat in (left, right):
        return right if left == flat else left
    made = collect(*left.shape, [])
    for a in left.terms:
        for b in right.terms:
            scale = collect(1, 1, [_settled(a.coefficient * b.coefficient, a.scalars + b.scalars, ())])
            pair = sorted(collect(*left.shape, [Term(1.0, (), word)]) for word in (a.word, b.word))
            made = add(made, multiply(scale, _times_words(pair[0], pair[1], flat)))
    return made


def _times_words(left: Matrix, right: Matrix, flat: Matrix) -> Matrix:
    if flat in (left, right):
        return right if left == flat else left
    return function("times", *left.shape, left, right, symmetric=left.symmetric and right.symmetric)


# ------------------------------------------------------------ to scalars


def trace(matrix: Matrix) -> Matrix:
    """The sum of the diagonal; a trace of a column times a row is the row times the column."""
    made = number(0.0)
    for coefficient, scalars, word in matrix.terms:
        cut = next((k + 1 for k, factor in enumerate(word) if factor.columns == 1), None)
        if not word:
            term = Term(coefficient * matrix.rows, scalars, ())
        elif cut is not None:
            term = _settled(coefficient, scalars, word[cut:] + word[:cut])
        else:
            turns = [w[k:] + w[:k] for w in (word, _reversed(word)) for k in range(len(word))]
            first = min(turns, key=_plainness)
            inside = Matrix(first[0].rows, first[-1].columns, (Term(1.0, (), first),))
            term = _settled(coefficient, (*scalars, (Factor("trace", 1, 1, (inside,)), 1.0)), ())
        made = add(made, collect(1, 1, [term]))
    return made


def total(matrix: Matrix) -> Matrix:
    """The sum of all entries: of a product entry by entry it is a scalar product, or a trace."""
    made = number(0.0)
    for coefficient, scalars, word in matrix.terms:
        if len(word) == 1 and word[0].calls("times"):
            found = trace(multiply(word[0].of[0].transposed, word[0].of[1]))
        elif len(word) == 1 and word[0].calls("diagonal"):
            found = trace(word[0].of[0])
        else:
            inside = collect(*matrix.shape, [Term(1.0, (), word)])
            left, right = ones(matrix.rows).transposed, ones(matrix.columns)
            found = multiply(multiply(left, inside), right)
        made = add(made, multiply(found, collect(1, 1, [Term(coefficient, scalars, ())])))
    return made


def power(scalar: Matrix, exponent: float) -> Matrix:
    """A scalar to a power; roots of powers stay together, since the square root of t^2 is not t."""
    if not scalar.terms and exponent > 0:
        return scalar
    if len(scalar.terms) == 1:
        coefficient, scalars, _ = scalar.terms[0]
        whole = float(exponent).is_integer()
        if whole or (coefficient > 0 and all(inner == 1 for _, inner in scalars)):
            raised = tuple((factor, inner * exponent) for factor, inner in scalars)
            return collect(1, 1, [_settled(math.pow(coefficient, exponent), raised, ())])
    return collect(1, 1, [Term(1.0, ((Factor("group", 1, 1, (scalar,)), float(exponent)),), ())])


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
