"""The lake: monthly source files, landed as parquet files with typed columns and registered with Spark as tables.

To land a source file means to check it, cast its columns and store the result in the lake. A month of a dataset is
live if it is currently in the lake. The manifest records the landed file of each live month.

A lake is on a local disk or in a store. A store is an object store (S3, GCS) or HDFS.
"""
