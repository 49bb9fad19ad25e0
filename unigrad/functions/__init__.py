"""Functions as ops: recorders see one op, with a derivative of its own."""
