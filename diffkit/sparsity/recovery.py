"""From the results of all directions to the entries of a sparse matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.sparsity.colouring import Colouring
from diffkit.sparsity.rows import sparse_arrays

Numbers = np.ndarray[Any, Any]


class Recovery:
    """The seeds of a colouring's directions, and where each entry stands among their results.

    Parameters
    ----------
    colouring
        Colours for columns ``(A,)`` and rows ``(B,)``.

    Attributes
    ----------
    place
        Where each entry stands among the results of the directions, laid out one after the other.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> from diffkit.sparsity import Recovery
    >>> recovery = Recovery(dk.get("sparse").prepare(np.square, np.ones(3)).colouring)
    >>> forward, back = recovery.seeds()
    >>> forward, back.shape  # one direction finds a diagonal
    (array([[1., 1., 1.]]), (0, 3))
    >>> recovery.matrix([forward * 2.0]).toarray()
    array([[2., 0., 0.],
           [0., 2., 0.],
           [0., 0., 2.]])
    """

    def __init__(self, colouring: Colouring) -> None:
        self.colouring = colouring
        pattern = colouring.pattern
        outputs, inputs = pattern.shape
        i, j = pattern.row_numbers(), pattern.matrix.indices.astype(np.intp)
        place = colouring.columns[j] * outputs + i
        if colouring.row_count:
            first = colouring.column_count * outputs  # the results of row directions come behind
            by_row = colouring.rows[i] >= 0
            place[by_row] = first + colouring.rows[i[by_row]] * inputs + j[by_row]
            mirrored = ~by_row & (colouring.columns[j] < 0)  # H[i, j] is H[j, i]
            place[mirrored] = first + colouring.rows[j[mirrored]] * inputs + i[mirrored]
        self.place = place

    @property
    def shape(self) -> tuple[int, int]:
        """``(B, A)``."""
        return self.colouring.pattern.shape

    @property
    def spots(self) -> Numbers:
        """Where each entry stands in a dense matrix, row by row."""
        pattern = self.colouring.pattern
        return pattern.row_numbers() * self.shape[1] + pattern.matrix.indices

    def seeds(self) -> tuple[Numbers, Numbers]:
        """Seeds of 0 and 1 for forward directions ``(K, A)`` and return directions ``(L, B)``."""
        colouring = self.colouring
        # Where nothing can be other than zero there is one direction all the same: a run checks which branch f takes.
        columns = _marked(colouring.columns, colouring.column_count if colouring.count else 1)
        rows = _marked(colouring.rows, colouring.row_count)
        # A row of a symmetric matrix is a column: no return sweep is needed.
        return (np.concatenate([columns, rows]), rows[:0]) if colouring.symmetric else (columns, rows)

    def matrix(self, results: Sequence[Numbers]) -> Any:
        """The matrix, from what the directions found: J S ``(K, B)``, then R J ``(L, A)``, as far as there are any."""
        flat = np.concatenate([part.reshape(-1) for part in results]) if len(results) > 1 else results[0].reshape(-1)
        if flat.dtype == np.float16:  # SciPy's sparse arrays can neither be added nor printed in half precision
            flat = flat.astype(np.float32)
        structure = self.colouring.pattern.matrix
        # The caller may change the structure of what he gets, so he gets his own.
        parts = (flat[self.place], structure.indices.copy(), structure.indptr.copy())
        return sparse_arrays().csr_array(parts, shape=structure.shape)


def _marked(colours: Numbers, count: int) -> Numbers:
    seeds = np.zeros((count, len(colours)))
    marked = np.flatnonzero(colours >= 0)
    seeds[colours[marked], marked] = 1.0
    return seeds
