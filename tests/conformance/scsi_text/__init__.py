"""The language of tests/conformance/*.scsi (docs/conformance.md) and its runner."""
