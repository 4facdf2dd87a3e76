"""Matrix expressions in one normal form: a sum of numbers times scalars times words.

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

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

COMPARISONS = {"greater": ">", "less": "<", "greater_equal": "≥", "less_equal": "≤", "equal": "=", "not_equal": "≠"}
"""NumPy's comparisons, and how they are written."""
UNIT = re.compile("e[₀-₉]+")
"""The name of a unit vector, which no argument can have."""
DOWNWARD = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
UPWARD = {below: above for above, below in DOWNWARD.items()}


class Factor(NamedTuple):
    """What a word is made of: a named matrix, or a function (``of``) of matrices."""

    name: str
    rows: int
    columns: int
    of: tuple[Matrix, ...] = ()
    turned: bool = False
    symmetric: bool = False

    def calls(self, *names: str) -> bool:
        """Whether it is one of these functions; an argument may have its name."""
        return self.name in names and bool(self.of)

    @property
    def indicates(self) -> bool:
        """Whether its entries are 1 where a comparison holds and 0 elsewhere."""
        return self.calls(*COMPARISONS.values())

    @property
    def entry(self) -> int | None:
        """Of a unit vector, where its 1 is."""
        return int(self.name[1:].translate(UPWARD)) if UNIT.fullmatch(self.name) else None

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
        terms = [term._replace(word=reverse(term.word)) for term in self.terms]
        return collect(self.columns, self.rows, terms)

    @property
    def symmetric(self) -> bool:
        """Whether it equals its transpose, whatever the names stand for."""
        return self == self.transposed


def reverse(word: Word) -> Word:
    """The transpose of a word."""
    return tuple(factor.transposed for factor in reversed(word))


# ------------------------------------------------------------ making


def single(factor: Factor) -> Matrix:
    """A matrix of one factor."""
    return collect(factor.rows, factor.columns, [settled(1.0, (), (factor,))])


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


def unit(size: int, entry: int) -> Matrix:
    """The vector with 1 in one entry, counted from 0 as in NumPy, and 0 in the others."""
    return single(Factor(f"e{entry}".translate(DOWNWARD), size, 1))


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
    return [settled(coefficient, scalars, word)]


def settled(coefficient: float, scalars: Scalars, word: Word) -> Term:
    """Normal form of one term: inverses cancel, and whatever is 1 x 1 leaves the word."""
    word = _cancelled(word)
    while (found := _inner(word)) is not None:
        start, stop = found
        if all(factor.name == "1" or factor.entry is not None for factor in word[start:stop]):
            coefficient *= _picked(word[start], word[stop - 1])
        else:
            scalars += ((_as_scalar(word[start:stop]), 1.0),)
        word = _cancelled(word[:start] + word[stop:])
    powers: dict[Factor, float] = {}
    for factor, power in scalars:
        powers[factor] = 1.0 if factor.indicates else powers.get(factor, 0.0) + power
    _join_signs(powers)
    return Term(coefficient, tuple(sorted((f, p) for f, p in powers.items() if p)), word)


def _join_signs(powers: dict[Factor, float]) -> None:
    """sign(s) / abs(s) is 1 / s."""
    for sign in [factor for factor, power in powers.items() if factor.calls("sign") and power == 1]:
        size, inside = sign._replace(name="absolute"), sign.of[0].terms
        if powers.get(size) == -1 and len(inside) == 1 and inside[0].coefficient == len(inside[0].scalars) == 1:
            ((factor, power),) = inside[0].scalars
            del powers[sign], powers[size]
            powers[factor] = powers.get(factor, 0.0) - power


def _picked(row: Factor, column: Factor) -> float:
    """1'1, 1'e_j or e_i'e_j, which are numbers."""
    if row.name == column.name == "1":
        return row.columns
    return float("1" in (row.name, column.name) or row.name == column.name)


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
    return Factor("product", 1, 1, (Matrix(1, 1, (Term(1.0, (), min(word, reverse(word), key=plainness)),)),))


def plainness(word: Word) -> tuple[int, list[bool], Word]:
    """Fewest transposes first, and those in front: x'Bb rather than b'B'x."""
    return sum(factor.turned for factor in word), [not factor.turned for factor in word], word


def _cancelled(word: Word) -> Word:
    kept: list[Factor] = []
    for factor in word:
        if kept and (_inverts(kept[-1], factor) or _inverts(factor, kept[-1])):
            kept.pop()
        else:
            kept.append(factor)
    return tuple(kept)


def _inverts(inverse: Factor, factor: Factor) -> bool:
    if not inverse.calls("inv"):
        return False
    inside = inverse.of[0].transposed if inverse.turned else inverse.of[0]
    return inside == single(factor)
