"""What queries and mutations take, one module an aggregate. `read` makes of an input what services take.

Its arguments are the path to the input, for the refusals of ids that are none.
"""
