"""Time and count derivatives on a grid of problems, methods, engines and sizes.

`suite` reads the grid, `cells` measures one cell of it by a `trial`. Cells run in `workers`, whose program is
`serving`, here or on a `cluster`. `results` keeps the rows, `run` is the loop over all, and `live` what is shown
meanwhile. Calls are timed by `diffkit.measure`.
"""
