"""The prove stage: what a shadow database shows about a set of migrations.

`stage.prove(sources, server=...)` applies them as their runner would, on a database of their own,
and answers with facts and findings. Nothing is ever run anywhere else: `server` is an embedded
scratch server, which `shadow.shadow_server()` starts and removes. This package imports nothing by
itself, because the rules read its `model` and must not load a database driver for it.
"""
