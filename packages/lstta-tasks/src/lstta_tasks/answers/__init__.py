"""Kinds of answer, one a file: head, loss, prediction, words for people, trivial baseline and metrics of each."""
