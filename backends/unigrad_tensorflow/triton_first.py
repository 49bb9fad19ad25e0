"""Load triton before TensorFlow can.

Both libraries carry an LLVM of their own. When TensorFlow is loaded first, loading triton (at
``torch.optim``'s first step or the first Inductor compile) ends the process with "inconsistency
in registered CommandLine options"; the other order works. So the torch backend loads triton at
once, and says so when the program's own imports have made that impossible.
"""

import importlib.util
import sys
import warnings

if "triton" not in sys.modules and importlib.util.find_spec("triton") is not None:
    if "tensorflow" in sys.modules:
        warnings.warn(
            "TensorFlow was imported before triton: compiling with torch's Inductor in this "
            "process would abort it. Import torch, triton or unigrad's torch backend first.",
            RuntimeWarning,
            stacklevel=2,
        )
    else:
        import triton  # noqa: F401
