"""A project's configuration: `penstock.yml`, the targets in `profiles.yml`, and the addresses in these files."""
