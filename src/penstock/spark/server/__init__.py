"""One Spark server per target: configuration, supervisor, and control from the command line and the adapter."""
