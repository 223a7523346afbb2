"""LSTTA: the adapter of a stage and its two modules."""
