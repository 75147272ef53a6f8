"""Reports: what a build left, what the run ledger holds, and the page on machine learning."""
