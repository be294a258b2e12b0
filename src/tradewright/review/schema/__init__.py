"""The model of a schema as a series of migrations builds it up."""
