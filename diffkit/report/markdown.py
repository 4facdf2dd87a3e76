"""The page of a run as Markdown, with its pictures in files beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from diffkit.report.page import Answer, Page, Section
from diffkit.report.verdicts import Verdict
from diffkit.report.words import escaped, markdown_table


def markdown(page: Page, pictures: str) -> str:
    """Write the page, block by block; `pictures` is the folder of its pictures."""
    return "\n\n".join(_blocks(page, pictures)) + "\n"


def _blocks(page: Page, pictures: str) -> Iterator[str]:
    yield f"# {escaped(page.title)}"
    yield from map(escaped, page.summary)
    if page.findings:
        yield "\n".join(["In short:", "", *(f"- {escaped(finding)}." for finding in page.findings)])
    yield "## Four claims, judged"
    judged = {"claim": [v.claim for v in page.verdicts], "verdict": [v.verdict for v in page.verdicts]}
    yield markdown_table(pd.DataFrame(judged))
    for verdict in page.verdicts:
        yield from _verdict(verdict)
    yield "## Pictures"
    for answer in page.answers:
        yield from _answer(answer, pictures)
    for section in page.sections:
        yield from _section(section)


def _verdict(verdict: Verdict) -> Iterator[str]:
    yield f"**{escaped(verdict.claim)}** {verdict.verdict.capitalize()}."
    yield "\n".join(f"- {escaped(sentence)}" for sentence in verdict.evidence)


def _answer(answer: Answer, pictures: str) -> Iterator[str]:
    yield f"### {answer.picture.question}"
    if answer.drawing is None or answer.table is None:
        yield answer.left_out
        return
    file = f"{pictures}/{answer.picture.name}"
    yield f"[![{escaped(answer.drawing.finding)}]({file}.png)]({file}.svg)"
    yield answer.picture.caption
    yield markdown_table(answer.table)


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.heading}"
    if section.text:
        yield escaped(section.text)
    if section.table is not None:
        yield markdown_table(section.table)
