"""The ksqlDB prompt of ``streamguard sql``."""
