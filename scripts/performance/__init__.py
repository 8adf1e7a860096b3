"""What scripts/compare and scripts/perf-report share."""
