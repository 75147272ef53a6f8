"""`penstock explain`: describe how Spark runs a model, as text and as a picture.

A captured plan is the physical plan that the adapter saved when dbt ran the model: the output of EXPLAIN before the
run, and the plan that ran.
"""
