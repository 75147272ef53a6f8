"""Who may connect to a server: its secret, and the Java classes that check it."""
