"""Submission of Python models over Spark Connect or with spark-submit."""
