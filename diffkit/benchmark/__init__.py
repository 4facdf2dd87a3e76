"""Time and count derivatives on a grid of problems, methods, engines and sizes.

`suite` reads the grid, `cells` measures one cell of it by a `trial`, `results` keeps the rows, and `run` is the loop
over all. Calls are timed by `diffkit.measure`.
"""
