-- id: night_spend
-- title: More than R$ 2,000 between 22 and 6 h
-- severity: info
-- score: 200
-- threshold: 2000
-- deploy: optional
-- catches: Three payments or more, together more than R$ 2,000, between 22 and 6 h in Brasilia (UTC-3). Alone it is
--   a hint: honest people pay at night too, and the limit of R$ 1,000 a night is the bank's own.

CREATE TABLE IF NOT EXISTS night_spend WITH (KAFKA_TOPIC = 'night_spend', VALUE_FORMAT = 'JSON') AS
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
WINDOW HOPPING (SIZE 8 HOURS, ADVANCE BY 2 HOURS, GRACE PERIOD 10 MINUTES)
WHERE amount > 100 AND ((event_time / 3600000 + 21) % 24 >= 22 OR (event_time / 3600000 + 21) % 24 < 6)
GROUP BY account_id
HAVING COUNT(*) > 2 AND SUM(amount) > 2000
EMIT CHANGES;

-- A table's changes are read as a plain stream, because a windowed table cannot feed another query.
CREATE STREAM IF NOT EXISTS night_spend_changes (
  account VARCHAR,
  transaction_id VARCHAR,
  amount DECIMAL(12, 2),
  txn_count BIGINT,
  window_start BIGINT,
  window_end BIGINT,
  event_time BIGINT,
  produced_at BIGINT
) WITH (KAFKA_TOPIC = 'night_spend', VALUE_FORMAT = 'JSON', TIMESTAMP = 'event_time');

INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}')
SELECT
  account,
  'night_spend' AS rule_id,
  AS_VALUE(account) AS account_id,
  transaction_id,
  amount,
  txn_count,
  window_start,
  window_end,
  event_time,
  produced_at
FROM night_spend_changes
WHERE account IS NOT NULL
PARTITION BY account
EMIT CHANGES;
