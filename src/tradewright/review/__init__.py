"""Review of migrations: read the files, prove them on a shadow database, report."""
