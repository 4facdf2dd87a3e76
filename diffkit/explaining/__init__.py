"""A graph as a blackboard shows it: forward and backward columns, and a drawing."""
