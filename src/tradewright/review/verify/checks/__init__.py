"""The ten tests, one module each; what each does stands in docs/reference/verify.md."""
