"""What the adapter knows of plans: it keeps one of each model it runs, and answers the tests on them."""
