"""Reports: the summary of a build, the rows of the run ledger, and the page about machine learning."""
