"""Files on a disk, in an object store (S3, GCS), or in HDFS: a file appears whole, and only once."""
