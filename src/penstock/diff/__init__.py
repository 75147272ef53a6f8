"""Compare built tables: between two targets of the profile, or with an earlier Delta version."""
