"""Two notations for the same mathematics: plain text for a terminal, LaTeX for a page."""

from diffkit.explaining.notation.base import PRODUCT, Notation, Piece
from diffkit.explaining.notation.latex import Latex
from diffkit.explaining.notation.text import Text

__all__ = ["LATEX", "PRODUCT", "TEXT", "Notation", "Piece"]

TEXT, LATEX = Text(), Latex()
