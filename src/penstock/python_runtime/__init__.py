"""Run one dbt Python model in a Spark session, Connect or classic, and write what it returns.

Nothing here imports dbt: the same code runs inside dbt over Spark Connect and in a driver of its
own behind spark-submit, where a job arrives as a JSON file.
"""
