"""What a run found: pictures, verdicts in words, and the page that holds them."""

from diffkit.report.page import write_report
from diffkit.report.verdicts import Verdict, verdicts

__all__ = ["Verdict", "verdicts", "write_report"]
