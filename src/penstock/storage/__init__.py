"""Read files and create them atomically, on a local disk, in an object store (S3, GCS) or in HDFS."""
