"""The report of a run: the same page as Markdown and as HTML, and its pictures."""

from __future__ import annotations

from pathlib import Path

from diffkit.benchmark.drift import steady
from diffkit.benchmark.environment import read_environment
from diffkit.benchmark.results import load
from diffkit.benchmark.suite import figures_of
from diffkit.errors import ResultsError
from diffkit.report.drawing import write_files
from diffkit.report.figures import PICTURES
from diffkit.report.html import html
from diffkit.report.markdown import markdown
from diffkit.report.page import describe

MARKDOWN = "report.md"
HTML = "report.html"
PICTURE_FOLDER = "figures"


def write_report(folder: Path | str) -> tuple[Path, Path]:
    """Write what a run found: ``report.md`` with its pictures in ``figures/``, and ``report.html``.

    The HTML page is one file that needs no other and no network: pictures, style, script and raw data are in it.

    Parameters
    ----------
    folder
        A folder that ``diffkit bench`` wrote.

    Returns
    -------
    tuple of Path
        The page as Markdown and as HTML. What the run does not hold is left out, with a sentence that says so.

    Raises
    ------
    ResultsError
        The folder holds no run, or the report cannot be written there.
    """
    folder = Path(folder)
    frame = load(folder)
    try:
        (folder / PICTURE_FOLDER).mkdir(exist_ok=True)
        corrected = steady(frame)
        wanted = figures_of(folder)
        page = describe(corrected, read_environment(folder), [one for one in PICTURES if one.name in wanted])
        for picture in PICTURES:
            write_files(picture, corrected, folder / PICTURE_FOLDER, wanted=picture.name in wanted)
        (folder / MARKDOWN).write_text(markdown(page, PICTURE_FOLDER), encoding="utf-8")
        (folder / HTML).write_text(html(page, frame), encoding="utf-8")
    except OSError as error:
        raise ResultsError(
            f"cannot write the report into {folder}: {error}; choose a folder you may write to"
        ) from error
    return folder / MARKDOWN, folder / HTML
