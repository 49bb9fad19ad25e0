"""Compiling functions: `ug.jit`, and the scope that leaves a trace."""
