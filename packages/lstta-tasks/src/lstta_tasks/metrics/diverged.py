"""The error of a training that has ended in numbers which are not finite."""


class DivergedError(ValueError):
    """No metric is defined for what the model predicts; the message says for which sample, and the way out."""
