"""Run one dbt Python model in a Spark session, Connect or classic, and write the frame that it returns.

This package doesn't import dbt. The same code runs inside dbt over Spark Connect and in a driver that spark-submit
starts and that reads its job from a JSON file.
"""
