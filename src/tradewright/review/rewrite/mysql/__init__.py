"""From MySQL to PostgreSQL: by edits in the text, never by printing it anew, and never by guess.

`tokens` reads, `draft` collects the edits, `script` walks over a file; the other modules each know
one part of the language. What has no sure meaning in PostgreSQL is refused with line and reason.
"""
