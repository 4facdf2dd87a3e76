"""The lab: what a course on backpropagation shows on the blackboard, running. Its pages are in docs/lab."""
