"""Caches that many machines build: a shard a task, on a Ray cluster."""
