"""The tests: one folder per kind, as CONTRIBUTING.md tells them apart."""
