-- id: sum_day
-- title: More than R$ 4,000 by card within a day
-- severity: warning
-- score: 450
-- threshold: 4000
-- deploy: optional
-- catches: A stolen card is spent: purchases of more than R$ 4,000 together within 24 hours, by three payments or
--   more (Sparkov: sum of 24 h is the best single rule).

CREATE TABLE IF NOT EXISTS sum_day WITH (KAFKA_TOPIC = 'sum_day', VALUE_FORMAT = 'JSON') AS
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
WINDOW HOPPING (SIZE 24 HOURS, ADVANCE BY 4 HOURS, GRACE PERIOD 10 MINUTES)
WHERE merchant_id IS NOT NULL AND amount > 100
GROUP BY account_id
HAVING COUNT(*) > 2 AND SUM(amount) > 4000
EMIT CHANGES;

-- A table's changes are read as a plain stream, because a windowed table cannot feed another query.
CREATE STREAM IF NOT EXISTS sum_day_changes (
  account VARCHAR,
  transaction_id VARCHAR,
  amount DECIMAL(12, 2),
  txn_count BIGINT,
  window_start BIGINT,
  window_end BIGINT,
  event_time BIGINT,
  produced_at BIGINT
) WITH (KAFKA_TOPIC = 'sum_day', VALUE_FORMAT = 'JSON', TIMESTAMP = 'event_time');

INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}')
SELECT
  account,
  'sum_day' AS rule_id,
  AS_VALUE(account) AS account_id,
  transaction_id,
  amount,
  txn_count,
  window_start,
  window_end,
  event_time,
  produced_at
FROM sum_day_changes
WHERE account IS NOT NULL
PARTITION BY account
EMIT CHANGES;
