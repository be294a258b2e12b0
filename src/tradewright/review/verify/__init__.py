"""The ten tests of a set of migrations, made on a shadow database; begin with `service`.

One test is one module of `checks`. What a project declares for them (functions to be called at
once, queries to be measured) is read by `declared`.
"""
