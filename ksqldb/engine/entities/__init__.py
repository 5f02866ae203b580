"""The JSON entities with which statements are answered (POST /ksql), shaped as ksqlDB 0.29 shapes them."""
