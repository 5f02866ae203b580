"""From a parsed statement to what it means: checked names, types, keys and rules, with ksqlDB's own error texts."""
