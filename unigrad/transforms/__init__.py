"""Functions with derivatives of their own, and the transforms that stand on tapes and `vmap`."""
