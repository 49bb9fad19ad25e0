"""The samples: for every op, what it is run on and what must come out. One module per family."""
