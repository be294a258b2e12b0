"""The command line: one module per group of commands, imported when its command is called.

Nothing is decided here. A command reads its options, calls a public function of a room and
renders what comes back; errors are rendered in `main`.
"""
