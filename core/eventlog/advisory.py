"""Keys of the advisory locks, in one place so that no two meanings share one. SQL functions use 5391001 and 5391002."""

MIGRATE = 5391000
SEAL = 5391003
REBUILD = 5391010
RULES = 5391011
CLERK = 5391012
