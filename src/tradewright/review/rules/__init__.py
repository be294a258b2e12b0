"""The catalogue of rules: one idea, one file; listing the folder registers them."""
