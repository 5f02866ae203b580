-- id: many_merchants
-- title: More than 5 shops within an hour
-- severity: warning
-- score: 450
-- threshold: 5
-- deploy: optional
-- catches: One card at six different shops within an hour: a thief in a hurry, or the numbers of a card for sale.

CREATE TABLE IF NOT EXISTS many_merchants WITH (KAFKA_TOPIC = 'many_merchants', VALUE_FORMAT = 'JSON') AS
SELECT
  account_id,
  AS_VALUE(account_id) AS account,
  LATEST_BY_OFFSET(transaction_id) AS transaction_id,
  SUM(amount) AS amount,
  COUNT_DISTINCT(merchant_id) AS txn_count,
  WINDOWSTART AS window_start,
  WINDOWEND AS window_end,
  MAX(event_time) AS event_time,
  MAX(produced_at) AS produced_at
FROM transactions
WINDOW HOPPING (SIZE 60 MINUTES, ADVANCE BY 10 MINUTES, RETENTION 3 HOURS, GRACE PERIOD 10 MINUTES)
WHERE merchant_id IS NOT NULL
GROUP BY account_id
HAVING COUNT_DISTINCT(merchant_id) > 5
EMIT CHANGES;

-- A table's changes are read as a plain stream, because a windowed table cannot feed another query.
CREATE STREAM IF NOT EXISTS many_merchants_changes (
  account VARCHAR,
  transaction_id VARCHAR,
  amount DECIMAL(12, 2),
  txn_count BIGINT,
  window_start BIGINT,
  window_end BIGINT,
  event_time BIGINT,
  produced_at BIGINT
) WITH (KAFKA_TOPIC = 'many_merchants', VALUE_FORMAT = 'JSON', TIMESTAMP = 'event_time');

INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}')
SELECT
  account,
  'many_merchants' AS rule_id,
  AS_VALUE(account) AS account_id,
  transaction_id,
  amount,
  txn_count,
  window_start,
  window_end,
  event_time,
  produced_at
FROM many_merchants_changes
WHERE account IS NOT NULL
PARTITION BY account
EMIT CHANGES;
