"""The page of a run as one HTML file that needs no other file and no network."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from diffkit.report.measurements import measurements
from diffkit.report.page import Page
from diffkit.report.words import typeset

TEMPLATE, SCRIPT = "report.html", "script.js"

QUANTITY = re.compile(r"-?\d[\d,]*(\.\d+)?(e[+-]\d+)?( ?(s|ms|µs|ns|×|%)| ± [\d.]+| \([\d,.e+-]+\))?")
"""A number as `diffkit.report.words` writes it, with or without a unit, an error or a second number."""

BADGES = {"held": "✓", "did not hold": "✗", "undecided": "?"}
"""A sign beside each verdict, so that colour never stands alone."""


def html(page: Page, frame: pd.DataFrame) -> str:
    """Write the page, with all measurements of the run to read and to save.

    Everything is escaped but what is ours: the pictures, whose letters matplotlib has escaped, and the script.
    The browser is told to load nothing, and to run no script but the one whose hash the page states.
    """
    environment = Environment(
        loader=PackageLoader("diffkit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"drawn": Markup, "numeric": _numeric, "typeset": typeset}
    script = environment.get_template(SCRIPT).render()
    return environment.get_template(TEMPLATE).render(
        page=page,
        badges=BADGES,
        columns=measurements(frame),
        count=len(frame),
        raw=Markup(_raw(frame)),  # noqa: S704 - escaped there
        script=Markup(script),  # noqa: S704 - ours
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
    )


def _raw(frame: pd.DataFrame) -> str:
    """Write rows as JSON: the names of the columns once, then a list per row; never the end of an element."""
    rows = frame.astype(object).to_numpy().tolist()
    known = ([None if value != value else value for value in row] for row in rows)  # noqa: PLR0124 - JSON has no NaN
    lists = [list(frame.columns), *known]
    text = ",\n".join(json.dumps(values, separators=(",", ":")) for values in lists)
    return f"[{text}]".replace("<", "\\u003c")


def _numeric(table: pd.DataFrame) -> list[bool]:
    """Decide for each column of texts whether most that is known is numbers, to be aligned at the right."""
    known = ([str(text) for text in texts if text != "–"] for texts in table.to_numpy().T)
    return [sum(bool(QUANTITY.fullmatch(text)) for text in texts) > len(texts) / 2 for texts in known]
