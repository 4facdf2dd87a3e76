"""Files that are whole at every moment, whatever ends the program that writes them."""

from __future__ import annotations

import glob
import os
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Put a file on disk, for good: it is there when this returns, and until then the one before it.

    It is written beside its place, and then moved there.

    Raises
    ------
    OSError
        The file cannot be written; the one before it stays.
    """
    draft = _draft(path, str(os.getpid()))
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _settle(path.parent)


def clear_drafts(path: Path) -> None:
    """Remove what a sudden end of `write_whole` has left beside a file."""
    for draft in path.parent.glob(_draft(Path(glob.escape(path.name)), "*").name):
        draft.unlink(missing_ok=True)


def _draft(path: Path, process: str) -> Path:
    return path.with_name(f".{path.name}.{process}.partial")


def _settle(folder: Path) -> None:
    """Put the names in a folder on disk: a file that was moved has its new one in memory only."""
    with suppress(OSError):  # Windows opens no folders, and some file systems sync none; the file is whole either way
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
