"""`penstock explain`: describe how Spark runs a model, as text and as a picture."""
