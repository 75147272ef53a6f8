"""Physical plans. The adapter captures the plan of each model that runs, and runs tests of plans and files."""
