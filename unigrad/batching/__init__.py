"""Batches: `ug.vmap`, and the textbook of batching rules that it goes by.

The interpreter knows no op, the rules know no interpreter.
"""
