"""The nouns everything else is made of: Tensor, Op, Backend, dtypes, errors, recorders.

The core knows no op, no derivative and no backend by name.
"""
