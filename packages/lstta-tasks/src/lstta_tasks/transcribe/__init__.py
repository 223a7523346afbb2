"""Timed text for videos that have none: what is said in them, in a file of subtitles beside each."""
