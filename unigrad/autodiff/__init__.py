"""Derivatives: the tape, the reference's rules, forward mode, and the functional transforms.

The recorder knows no op, the rules know no graph.
"""
