"""A graph as a blackboard shows it: forward and backward columns, and a drawing."""

from diffkit.explaining.explanation import Explanation, explain

__all__ = ["Explanation", "explain"]
