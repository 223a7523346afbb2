"""What `lstta demo` shows when it has trained: a table of both models, and the picture that says why they differ."""
