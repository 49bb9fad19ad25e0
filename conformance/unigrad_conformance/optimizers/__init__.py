"""Optimizers by hand, in NumPy: the formulas that unigrad's are held against."""
