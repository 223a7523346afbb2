"""Studies: methods × tasks × seeds from one file, a result file for each run, and tables and a figure of them."""
