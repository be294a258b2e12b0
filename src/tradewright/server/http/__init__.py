"""The house over HTTP: who calls, what is answered, and how errors are told.

Read `app` for how it is put together, `callers` for who is let in, `problems` for what a refusal
looks like, and the routes beside them. Nothing here decides about money or orders: it asks the
same services as the command line. Import it late: FastAPI takes a second to be read.
"""
