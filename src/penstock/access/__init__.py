"""Who may reach what penstock runs: a secret for each server, Java classes that check it, and private folders."""
