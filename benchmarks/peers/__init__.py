"""diffkit beside other libraries and code by hand, on the same functions, in one run.

`rows` holds the functions, `maths` the words that each library has for them, `ways` how each library differentiates,
`timing` measures a row, `findings` draws the conclusions, `page` and `picture` show them.
"""
