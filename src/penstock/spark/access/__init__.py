"""Authentication of a server's clients: its secret, and the Java classes that check it."""
