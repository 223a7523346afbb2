"""Adapter folders on the Hugging Face hub: found there by name, and pushed."""
