"""A training on disk: one file from which it goes on, bit for bit.

A checkpoint is an ``.npz`` file of NumPy's, without pickle: the arrays, and one text of JSON that says what they belong
to.
"""

from __future__ import annotations

import hashlib
import json
import warnings
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from diffkit import __version__
from diffkit.engines import check_engine
from diffkit.errors import DiffkitError, ResultsError
from diffkit.files import clear_drafts, write_whole
from diffkit.lab.training.sgd import Descent, Epoch, State
from diffkit.problems.base import Array

FORMAT = "diffkit training 1"
DIGESTED = ("start", "cost at the start", "training data", "test data")
"""What a checkpoint holds a fingerprint of only."""
VERSIONS = {"diffkit": __version__, "numpy": np.__version__}


def identity(descent: Descent) -> dict[str, Any]:
    """What a checkpoint belongs to: model, data, method, engine, settings."""
    method = descent.method
    sets = {"training data": descent.data, "test data": descent.test}
    return {
        "model": described(descent.model),
        "method": repr(method),
        "engine": method.engine,
        **descent.settings.way,
        "start": digest(descent.state.parameters),
        "cost at the start": digest(np.asarray(descent.mean_cost(descent.state.parameters, descent.data))),
        **{name: digest(*data) if data else "none" for name, data in sets.items()},
    }


def described(model: Any) -> str:
    """A model in words that are the same in every process."""
    text = repr(model)
    return type(model).__qualname__ if text == object.__repr__(model) else text


def digest(*arrays: Array) -> str:
    """A fingerprint of arrays: SHA-256 of their shapes and bytes.

    Examples
    --------
    >>> digest(np.zeros(2)) == digest(np.zeros(2)), digest(np.zeros(2)) == digest(np.zeros((2, 1)))
    (True, False)
    """
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.shape} {array.dtype.str}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def write(file: Path, state: State, about: dict[str, Any]) -> None:
    """Put the state on disk, for good: it is there when this returns, and until then the one before it.

    Raises
    ------
    ResultsError
        The file cannot be written.
    """
    text = {"format": FORMAT, "about": about, "versions": VERSIONS, "generator": state.generator.bit_generator.state}
    content = BytesIO()
    history = np.array(state.history, dtype=float).reshape(-1, len(Epoch._fields))
    np.savez(
        content, parameters=state.parameters, velocity=state.velocity, history=history, text=np.array(json.dumps(text))
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_whole(file, content.getvalue())
        except FileNotFoundError:  # another process has resumed from this file, and cleared away what lay beside it
            write_whole(file, content.getvalue())
    except OSError as error:
        raise ResultsError(f"cannot write the checkpoint {file}: {error}; choose another file") from None


@dataclass(frozen=True)
class Stored:
    """What a checkpoint holds.

    Attributes
    ----------
    file
        Where it was read.
    state
        Where the descent was.
    about
        What it belongs to: see `identity`.
    versions
        Of the libraries that made it.
    """

    file: Path
    state: State
    about: dict[str, Any]
    versions: dict[str, str]

    def engine(self, wanted: str) -> str:
        """The engine to go on with: its own, unless another one is asked for, which `check` will refuse.

        Raises
        ------
        ResultsError
            Its own does not run here.
        """
        engine = str(self.about.get("engine"))
        try:
            check_engine(engine)
        except DiffkitError as error:
            raise ResultsError(
                f"{self.file} was made on engine {engine!r}, and another one rounds differently; {error}. Go on where "
                "it runs, or start anew with another file"
            ) from None
        return engine if wanted == "auto" else wanted

    def check(self, wanted: dict[str, Any]) -> None:
        """Refuse to go on with a training of something else; warn where other libraries may round differently.

        Raises
        ------
        ResultsError
            The message says what differs.
        """
        names = [name for name in wanted if self.about.get(name) != wanted[name]]
        if names:
            told = [f"{name} was {self.about.get(name)}, is {wanted[name]}" for name in names if name not in DIGESTED]
            listed = "; ".join(told or [f"its {name} differs" for name in names])  # which may follow from what is told
            raise ResultsError(f"{self.file} belongs to another training: {listed}. Give what it was, or another file")
        if self.versions != VERSIONS:
            warnings.warn(
                f"{self.file} was made with {_listed(self.versions)}, and this is {_listed(VERSIONS)}; the trajectory "
                "goes on, though it may round differently",
                stacklevel=4,
            )


def _listed(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def read(file: Path) -> Stored:
    """Read a checkpoint, and clear away what a sudden end has left beside it.

    Raises
    ------
    ResultsError
        There is no such file, or it is no checkpoint, or not a whole one.
    """
    try:
        found = _unpacked(file)
        clear_drafts(file)
    except FileNotFoundError:
        raise ResultsError(f"there is no checkpoint {file}; start without resuming, and it will be written") from None
    except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ResultsError(
            f"{file} is no whole checkpoint of a training ({error}); name another file, or start anew"
        ) from None
    return found


def _unpacked(file: Path) -> Stored:
    content = file.read_bytes()
    if not content.startswith(b"PK"):
        raise ValueError("it is no archive")
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        text = json.loads(str(arrays["text"]))
        parameters, velocity, history = (arrays[name] for name in ("parameters", "velocity", "history"))
    if text["format"] != FORMAT:
        raise ValueError(f"its format is {text['format']!r}, not {FORMAT!r}")
    generator = np.random.default_rng()
    generator.bit_generator.state = text["generator"]
    rows = [Epoch(int(row[0]), *map(float, row[1:])) for row in history]
    return Stored(file, State(parameters, velocity, generator, rows), text["about"], text["versions"])
