"""Reports: the summary of a build, the rows of the run ledger, and the page on machine learning."""
