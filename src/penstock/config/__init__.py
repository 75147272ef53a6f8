"""What a project is configured with: `penstock.yml`, the targets of `profiles.yml`, and addresses in them."""
