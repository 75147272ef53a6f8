"""`penstock report ml`: the trained versions and their errors as one self-contained HTML page."""
