"""Time and count derivatives on a grid of problems, methods, engines and sizes.

`suite` reads the `grid` from a file (`reading` tells where in it something stands), or `own` makes it for one function;
`cells` measures a cell by a `trial`. Cells run in `workers`, whose program is `serving`, here or on a `cluster`.
`results` keeps the rows, `run` is the loop over all, and `live` what is shown meanwhile; `forecast` says before what it
will take. Calls are timed by `diffkit.measure`, beside the reference of `drift`; `statistics` sums up samples, and
`changes` compares two runs.
"""
