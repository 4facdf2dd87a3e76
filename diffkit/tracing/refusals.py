"""What cannot be traced, why, and what to write instead; docs/limitations.md prints this table."""

from __future__ import annotations

_SPECTRAL = "its derivative needs distinct eigenvalues or singular values and a choice of phase"

REFUSALS: dict[str, tuple[str, str]] = {
    "eig": (_SPECTRAL, "give a rule with dk.primitive, or use method='finite-difference'"),
    "eigh": (_SPECTRAL, "give a rule with dk.primitive, or use method='finite-difference'"),
    "eigvals": (_SPECTRAL, "give a rule with dk.primitive, or use method='finite-difference'"),
    "eigvalsh": (_SPECTRAL, "give a rule with dk.primitive, or use method='finite-difference'"),
    "svd": (_SPECTRAL, "give a rule with dk.primitive, or use method='finite-difference'"),
    "qr": ("its factors are unique up to signs only", "use np.linalg.cholesky of x.T @ x, or dk.primitive"),
    "lstsq": ("it decides ranks", "solve the normal equations with np.linalg.solve"),
    "pinv": ("it decides ranks", "use np.linalg.inv, or np.linalg.solve of the normal equations"),
    "matrix_rank": ("it is an integer", "compute it outside f"),
    "cond": ("it needs singular values", "compute it outside f"),
    "fft": ("its result is complex", "multiply by the real cosine and sine matrices"),
    "ifft": ("its result is complex", "multiply by the real cosine and sine matrices"),
    "rfft": ("its result is complex", "multiply by the real cosine and sine matrices"),
    "irfft": ("its argument is complex", "multiply by the real cosine and sine matrices"),
    "angle": ("it is meant for complex numbers", "use np.arctan2(imaginary, real)"),
    "nextafter": ("it moves by one rounding unit", "add a step size instead"),
    "spacing": ("it is a rounding unit", "compute it outside f"),
    "frexp": ("it takes the bits of a number apart", "use np.log2"),
    "modf": ("it has two results", "use x - np.trunc(x)"),
    "divmod": ("it has two results", "use x // y and x % y"),
    "unique": ("the shape of its result depends on the values", "compute it outside f"),
    "histogram": ("it counts, so its derivative is zero", "compute it outside f"),
    "bincount": ("it counts, so its derivative is zero", "use a sum over np.where, or np.add.at"),
    "put": ("it writes into an array", "assign to x.flat[positions]"),
    "place": ("it writes into an array", "assign to x[mask]"),
    "putmask": ("it writes into an array", "assign to x[mask]"),
    "put_along_axis": ("it writes into an array", "assign to x[positions]"),
    "save": ("it writes a file", "write it outside f"),
    "savez": ("it writes a file", "write it outside f"),
    "savetxt": ("it writes a file", "write it outside f"),
}
"""NumPy function -> (why, what to write instead)."""


def advice(name: str) -> str:
    """One sentence for an error message."""
    why, instead = REFUSALS.get(
        name,
        (
            "diffkit has no rule for it",
            (
                "write it with arithmetic, np.sum, indexing or matmul, give a rule with dk.primitive, "
                "or use method='finite-difference', which calls f as a black box"
            ),
        ),
    )
    return f"{why}; {instead}"
