"""Files on a local disk, in an object store (S3, GCS) or in HDFS, created atomically."""
