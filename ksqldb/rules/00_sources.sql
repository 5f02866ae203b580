-- The two streams every rule stands on. Topics are made with 4 partitions where they do not exist; the stack makes
-- them before, with unlimited retention, because records carry event time and a replay's events are old.

CREATE STREAM IF NOT EXISTS transactions (
  account_id VARCHAR KEY,
  transaction_id VARCHAR,
  amount DECIMAL(12, 2),
  channel VARCHAR,
  merchant_id VARCHAR,
  merchant_name VARCHAR,
  merchant_category VARCHAR,
  payee_id VARCHAR,
  device_id VARCHAR,
  city VARCHAR,
  state VARCHAR,
  latitude DOUBLE,
  longitude DOUBLE,
  event_time BIGINT,
  produced_at BIGINT,
  schema_version INTEGER
) WITH (
  KAFKA_TOPIC = 'transactions', PARTITIONS = 4, KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON', TIMESTAMP = 'event_time'
);

-- The account is the key, which puts an alert on its payments' partition, and again a column of the value.
CREATE STREAM IF NOT EXISTS fraud_alerts (
  account VARCHAR KEY,
  rule_id VARCHAR,
  account_id VARCHAR,
  transaction_id VARCHAR,
  amount DECIMAL(12, 2),
  txn_count BIGINT,
  window_start BIGINT,
  window_end BIGINT,
  event_time BIGINT,
  produced_at BIGINT
) WITH (
  KAFKA_TOPIC = 'fraud_alerts', PARTITIONS = 4, KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON', TIMESTAMP = 'event_time'
);
