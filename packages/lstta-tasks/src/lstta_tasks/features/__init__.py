"""Features that somebody computed beforehand: read, written, converted, and an encoder that takes them for its own."""
