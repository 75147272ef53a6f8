"""Where a lake or a warehouse lies: on a disk, in an object store (S3, GCS), in HDFS.

`place` turns a setting into a folder, `kinds` does what differs between the three: writing a file so that
it is there whole or not at all, and never over another one when it must be new.
"""
