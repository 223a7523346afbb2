"""Whether two models' answers to the same samples differ by more than chance, and are as sure as they are right."""
