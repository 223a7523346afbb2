"""Decoding, caches of what is decoded, and batches of it."""
