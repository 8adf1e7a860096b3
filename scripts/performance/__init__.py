"""Common parts of scripts/compare, scripts/perf-figures and scripts/perf-report."""
