-- id: card_testing
-- title: Small purchases, then a large one
-- severity: critical
-- score: 600
-- threshold: 3
-- deploy: optional
-- catches: A card is tried out: more than three purchases below R$ 10 and one above R$ 300 within ten minutes
--   (Flink walk-through, Sparkov). Honest people do not shop like that.

CREATE TABLE IF NOT EXISTS card_testing WITH (KAFKA_TOPIC = 'card_testing', VALUE_FORMAT = 'JSON') AS
SELECT
  account_id,
  AS_VALUE(account_id) AS account,
  LATEST_BY_OFFSET(transaction_id) AS transaction_id,
  SUM(amount) AS amount,
  COUNT(*) AS txn_count,
  WINDOWSTART AS window_start,
  WINDOWEND AS window_end,
  MAX(event_time) AS event_time,
  MAX(produced_at) AS produced_at
FROM transactions
WINDOW HOPPING (SIZE 10 MINUTES, ADVANCE BY 2 MINUTES, RETENTION 1 HOUR, GRACE PERIOD 1 MINUTE)
WHERE merchant_id IS NOT NULL AND (amount < 10 OR amount > 300)
GROUP BY account_id
HAVING SUM(CASE WHEN amount < 10 THEN 1 ELSE 0 END) > 3 AND MAX(amount) > 300
EMIT CHANGES;

-- A table's changes are read as a plain stream, because a windowed table cannot feed another query.
CREATE STREAM IF NOT EXISTS card_testing_changes (
  account VARCHAR,
  transaction_id VARCHAR,
  amount DECIMAL(12, 2),
  txn_count BIGINT,
  window_start BIGINT,
  window_end BIGINT,
  event_time BIGINT,
  produced_at BIGINT
) WITH (KAFKA_TOPIC = 'card_testing', VALUE_FORMAT = 'JSON', TIMESTAMP = 'event_time');

INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}')
SELECT
  account,
  'card_testing' AS rule_id,
  AS_VALUE(account) AS account_id,
  transaction_id,
  amount,
  txn_count,
  window_start,
  window_end,
  event_time,
  produced_at
FROM card_testing_changes
WHERE account IS NOT NULL
PARTITION BY account
EMIT CHANGES;
