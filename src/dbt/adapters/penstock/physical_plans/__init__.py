"""Physical plans: the adapter captures one of each model that runs, and runs the tests of plans and files."""
