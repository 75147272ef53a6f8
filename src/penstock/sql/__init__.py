"""SQL text: quoted identifiers, string literals and data types."""
