"""Matrix expressions as text, with what terms share written once; and their numbers."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from diffkit.lab.matrix_calculus.algebra import COMPARISONS, Factor, Matrix, Scalars, Term, Word, is_indicator
from diffkit.primitives import BY_NAME

_CLOSE = re.compile(r"[^\W\d][₀-₉]*'?|\(.*\)'?|\[.*\]'?")
"""What may stand beside its like without a space: one letter, a unit vector, or a bracket."""
_NAME = re.compile(r"[^\W\d]\w*")
_WRITTEN = {"absolute": "abs", "maximum": "max", "minimum": "min", "expit": "sigmoid"}
"""Functions that mathematics calls otherwise than NumPy and SciPy do."""


def text(matrix: Matrix) -> str:
    """Write an expression, such as ``2(B + B')x``.

    Examples
    --------
    >>> from diffkit.lab.matrix_calculus.algebra import add, multiply, named
    >>> B, x = named("B", 3, 3), named("x", 3, 1)
    >>> text(multiply(add(B, B.transposed), x))
    "(B + B')x"
    """
    return _joined(_summands(matrix))


def _summands(matrix: Matrix) -> list[str]:
    """What stands between the signs + and -, each with a sign of its own."""
    if not matrix.terms:
        return ["0"]
    below = _divisors(matrix.terms)
    if below:
        terms = tuple(term._replace(scalars=_rest(term, below)) for term in matrix.terms)
        return [_scaled(1.0, below, [_bracket(_summands(matrix._replace(terms=terms)))])]
    matrix = matrix._replace(terms=tuple(sorted(matrix.terms, key=lambda term: not term.word)))  # I comes last
    terms = _opened(matrix) if matrix.scalar else matrix.terms
    shared = _most_shared(terms)
    if shared is None or (matrix.scalar and len(shared[0]) < len(terms)):
        return [_term(term, matrix) for term in matrix.terms]
    chosen, prefix = shared
    common, scalars, inner = _common(tuple(_without(term, prefix=prefix) for term in chosen))
    word = chosen[0].word
    rows, columns = (word[0].columns, word[-1].columns) if prefix else (word[0].rows, word[-1].rows)
    inside = _summands(Matrix(rows, columns, inner) if any(term.word for term in inner) else Matrix(1, 1, inner))
    bracket = _bracket(inside)
    factor = _factor(word[0 if prefix else -1])
    first = _scaled(common, scalars, [factor, bracket] if prefix else [bracket, factor])
    rest = matrix._replace(terms=tuple(term for term in terms if term not in chosen))
    return [first, *(_summands(rest) if rest.terms else [])]


def _bracket(parts: list[str]) -> str:
    """What may stand beside other factors."""
    return f"({_joined(parts)})" if len(parts) > 1 or " ∘ " in _outside(parts[0]) else parts[0]


def _outside(part: str) -> str:
    """What is not inside brackets."""
    shorter = re.sub(r"[(\[][^()\[\]]*[)\]]", "", part)
    return part if shorter == part else _outside(shorter)


def _joined(parts: list[str]) -> str:
    first = next((part for part in parts if not part.startswith("-")), parts[0])
    made = first
    for part in (part for part in parts if part is not first):
        made += f" - {part[1:]}" if part.startswith("-") else f" + {part}"
    return made


# ------------------------------------------------------------ what terms share


def _opened(matrix: Matrix) -> tuple[Term, ...]:
    """The terms of a scalar, with their products as words: x'Bx may share its x' with others."""
    opened = []
    for term in matrix.terms:
        spot = next(
            (k for k, (factor, power) in enumerate(term.scalars) if factor.calls("product") and power == 1), None
        )
        if spot is None:
            return matrix.terms
        word = term.scalars[spot][0].of[0].terms[0].word
        opened.append(Term(term.coefficient, term.scalars[:spot] + term.scalars[spot + 1 :], word))
    return tuple(opened)


def _divisors(terms: tuple[Term, ...]) -> Scalars:
    """What several terms are all divided by."""
    return tuple(item for item in terms[0].scalars if item[1] < 0 and len(terms) > 1 and _in_all(item, terms))


def _in_all(item: tuple[Factor, float], terms: tuple[Term, ...]) -> bool:
    return all(item in term.scalars for term in terms)


def _rest(term: Term, without: Scalars) -> Scalars:
    return tuple(item for item in term.scalars if item not in without)


def _most_shared(terms: tuple[Term, ...]) -> tuple[tuple[Term, ...], bool] | None:
    """The terms that share a first (True) or last factor, and what they are divided by: the largest such group."""
    groups: dict[Any, list[Term]] = {}
    for term in terms:
        below = tuple(item for item in term.scalars if item[1] < 0)
        if term.word:
            groups.setdefault((False, term.word[-1], below), []).append(term)
            groups.setdefault((True, term.word[0], below), []).append(term)
    (prefix, *_), best = max(groups.items(), key=lambda item: len(item[1]), default=((False,), []))
    return (tuple(best), prefix) if len(best) > 1 else None


def _without(term: Term, *, prefix: bool) -> Term:
    return term._replace(word=term.word[1:] if prefix else term.word[:-1])


def _common(terms: tuple[Term, ...]) -> tuple[float, Scalars, tuple[Term, ...]]:
    """Take out the number and the scalars that all terms have."""
    sizes = {abs(term.coefficient) for term in terms}
    common = sizes.pop() if len(sizes) == 1 else 1.0
    if all(term.coefficient < 0 for term in terms):
        common = -common
    scalars = tuple(item for item in terms[0].scalars if _in_all(item, terms))
    left = tuple(Term(term.coefficient / common, _rest(term, scalars), term.word) for term in terms)
    return common, scalars, left


# ------------------------------------------------------------ one term


def _term(term: Term, matrix: Matrix) -> str:
    word = [_factor(factor) for factor in term.word]
    if not term.scalars and abs(term.coefficient) == 1 and len(word) == 1 and term.word[0].calls("times"):
        word = [re.sub(r"^\((.*)\)$", r"\1", word[0])]  # a product alone needs no bracket
    return _scaled(term.coefficient, term.scalars, word or ([] if matrix.scalar else ["I"]))


def _scaled(coefficient: float, scalars: Scalars, word: list[str]) -> str:
    """A number, scalars and a word beside each other; what has a negative power goes below."""
    above = [(factor, power) for factor, power in scalars if power > 0]
    below = [_powered(factor, -power) for factor, power in scalars if power < 0]
    alone = not word and len(above) == 1
    pieces = [*(_powered(factor, power, alone=alone) for factor, power in above), *word]
    size = f"{abs(coefficient):g}"
    made = _beside(pieces)
    if size != "1" or not pieces:
        close = not made or (size.isdigit() and _CLOSE.fullmatch(pieces[0]))
        made = size + made if close else f"{size} {made}"
    made = f"-{made}" if coefficient < 0 else made
    return f"{made} / {below[0] if len(below) == 1 else '(' + ' '.join(below) + ')'}" if below else made


def _powered(factor: Factor, power: float, *, alone: bool = False) -> str:
    written = _factor(factor)
    if power == 0.5:
        return f"sqrt({written})"
    bare = alone and power == 1 and factor.calls("product")
    if not bare and (factor.calls("product") or factor.calls("group")):
        written = f"({written})"
    return written if power == 1 else f"{written}^{power:g}"


def _beside(pieces: list[str]) -> str:
    """Letters and brackets stand close; names, functions and the vector 1 apart."""
    made = "".join(pieces[:1])
    for before, piece in pairwise(pieces):
        made += piece if _CLOSE.fullmatch(piece) and _CLOSE.fullmatch(before) else f" {piece}"
    return made


def _factor(factor: Factor) -> str:
    mark = "'" if factor.turned else ""
    if not factor.of:
        return factor.name + mark
    if factor.name == "product":
        return _beside([_factor(part) for part in factor.of[0].terms[0].word])
    if factor.name in ("inv", "power"):
        return _raised(factor)
    inside = [text(matrix) for matrix in factor.of]
    if factor.name == "group":
        return inside[0]
    if factor.name == "times":
        return f"({' ∘ '.join(inside)}){mark}"
    if factor.indicates:
        return f"[{f' {factor.name} '.join(inside)}]{mark}"
    return f"{_call(factor.name, inside)}{mark}"


def _raised(factor: Factor) -> str:
    """An inverse, or a power entry by entry."""
    inside = text(factor.of[0])
    plain = inside if _is_name(factor.of[0]) else f"({inside})"
    if factor.name == "inv":
        return f"{plain}^-T" if factor.turned else f"{plain}^-1"
    written = f"{plain}^∘{text(factor.of[1])}"
    return f"({written})'" if factor.turned else written


def _call(name: str, inside: list[str]) -> str:
    """A function by its name; logaddexp beside 0 is softplus."""
    if name == "logaddexp" and inside[1] == "0":
        return f"softplus({inside[0]})"
    return f"{_WRITTEN.get(name, name)}({', '.join(inside)})"


def _is_name(matrix: Matrix) -> bool:
    """Whether it is one named matrix and no more: AB, which is written like a name, is a product."""
    return len(matrix.terms) == 1 and len(matrix.terms[0].word) == 1 and bool(_NAME.fullmatch(text(matrix)))


# ------------------------------------------------------------ numbers

_VALUES: dict[str, Callable[..., Any]] = {
    "product": lambda x: x,
    "group": lambda x: x,
    "trace": lambda x: np.trace(x).reshape(1, 1),
    "inv": np.linalg.inv,
    "diag": lambda x: np.diag(x[:, 0]),
    "diagonal": lambda x: np.diagonal(x)[:, np.newaxis],
    "det": lambda x: np.linalg.det(x).reshape(1, 1),
    "log|det|": lambda x: np.linalg.slogdet(x)[1].reshape(1, 1),
    **{sign: getattr(np, name) for name, sign in COMPARISONS.items()},
}
"""Functions of matrices; others are rows of `diffkit.primitives`, entry by entry."""


def value(matrix: Matrix, arguments: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """The numbers of an expression, ``(rows, columns)``, where its names stand for ``arguments``."""
    made = np.zeros(matrix.shape)
    for coefficient, scalars, word in matrix.terms:
        if any(factor.indicates and not _number(factor, arguments) for factor, _ in scalars):
            continue  # whatever else there is, it is not chosen
        scale = coefficient * np.prod([_number(factor, arguments)[0, 0] ** power for factor, power in scalars])
        made = made + scale * _product(word, matrix, arguments)
    return made


def _product(word: Word, matrix: Matrix, arguments: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    numbers = [_number(factor, arguments) for factor in word]
    return functools.reduce(np.matmul, numbers) if numbers else np.eye(matrix.rows)


def _number(factor: Factor, arguments: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    rows, columns = (factor.columns, factor.rows) if factor.turned else (factor.rows, factor.columns)
    if factor.calls("times"):
        made = _times([value(matrix, arguments) for matrix in factor.of], factor)
    elif factor.of:
        found = _VALUES.get(factor.name) or BY_NAME[factor.name].evaluate
        made = found(*(value(matrix, arguments) for matrix in factor.of)) * 1.0
    elif factor.name == "1":
        made = np.ones((rows, columns))
    elif factor.entry is not None:
        made = np.eye(rows)[:, [factor.entry]]
    else:
        made = np.reshape(arguments[factor.name], (rows, columns))
    return made.T if factor.turned else made


def _times(parts: list[np.ndarray[Any, Any]], factor: Factor) -> np.ndarray[Any, Any]:
    """Entry by entry; an indicator that is 0 wins over what it multiplies, NaN among it."""
    chosen = [part != 0 for part, matrix in zip(parts, factor.of, strict=True) if is_indicator(matrix)]
    return np.where(np.logical_and.reduce(chosen), np.multiply.reduce(parts), 0.0)
