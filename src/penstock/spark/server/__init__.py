"""The Spark server of a target: started, found, watched, and stopped."""
