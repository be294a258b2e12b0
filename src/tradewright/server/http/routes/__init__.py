"""The routes of the interface, one module for each noun."""
