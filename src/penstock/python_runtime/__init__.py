"""Run one dbt Python model in a Spark session, Connect or classic, and write the frame that it returns.

Nothing here imports dbt: the same code runs inside dbt over Spark Connect and in a driver started by
spark-submit, which receives its job as a JSON file.
"""
