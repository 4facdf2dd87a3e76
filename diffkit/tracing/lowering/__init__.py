"""Lowering: every NumPy call on traced arrays becomes a few canonical steps, a file per kind of call."""

from diffkit.tracing.lowering import (
    arithmetic,
    indexing,
    joining,
    matrices,
    norms,
    products,
    reducing,
    sampling,
    shaping,
    sorting,
)

__all__ = [
    "arithmetic",
    "indexing",
    "joining",
    "matrices",
    "norms",
    "products",
    "reducing",
    "sampling",
    "shaping",
    "sorting",
]
