"""Framework-only models the tests and benchmarks compare unigrad with; none imports unigrad."""
