"""`penstock explain`: how Spark runs a model, in the field's words and as a picture."""
