"""What is wrong with a data set, before anything is trained on it.

The way: ``examine`` reads every split through its task's own reader and probes every clip (``probe``: headers and a few
packets); ``media``, ``annotations``, ``labels`` and ``texts`` each turn what they see into findings; ``report``
prints and writes them. All limits are our choice.
"""
