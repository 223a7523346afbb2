"""The parts of gpu.py: what is measured, how, what comes out, and what has to be carried to the machine."""
