"""A project's configuration: `penstock.yml`, the targets of `profiles.yml`, and the addresses in both."""
