"""`penstock report ml`: what was learned and how well, as one HTML page that needs nothing else."""
