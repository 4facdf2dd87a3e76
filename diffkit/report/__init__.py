"""What a run found: pictures, verdicts in words, and the page that holds them."""

from diffkit.report.verdicts import Verdict, verdicts
from diffkit.report.writing import write_report

__all__ = ["Verdict", "verdicts", "write_report"]
