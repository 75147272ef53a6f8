"""SQL text: quoted names, data types, and declared columns."""
