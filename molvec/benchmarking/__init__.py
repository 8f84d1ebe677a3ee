"""The benchmark suite: every representation through the same protocols, baselines always beside."""

from molvec.benchmarking.run import BenchmarkResult, benchmark, run_benchmark
from molvec.benchmarking.settings import BenchmarkSettings, UserTable

__all__ = ["BenchmarkResult", "BenchmarkSettings", "UserTable", "benchmark", "run_benchmark"]
