"""Looking at a dataset: samples, what was left out, distributions; in a terminal or as one page of HTML."""
