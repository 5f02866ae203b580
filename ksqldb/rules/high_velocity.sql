-- id: high_velocity
-- title: More than 3 payments within a minute
-- severity: warning
-- score: 500
-- threshold: 3
-- catches: A fourth payment of an account within 60 seconds of event time. Windows hop by 10 seconds, because tumbling
--   ones miss 20 to 55 % of bursts; so a burst makes a row for every overlapping window and payment, which readers
--   join into one incident. Events up to 10 seconds late still count.

CREATE TABLE IF NOT EXISTS high_velocity WITH (KAFKA_TOPIC = 'high_velocity', VALUE_FORMAT = 'JSON') AS
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
WINDOW HOPPING (SIZE 60 SECONDS, ADVANCE BY 10 SECONDS, RETENTION 10 MINUTES, GRACE PERIOD 10 SECONDS)
GROUP BY account_id
HAVING COUNT(*) > 3
EMIT CHANGES;

-- A windowed table cannot feed another query, so its topic is read as a plain stream without a key.
CREATE STREAM IF NOT EXISTS high_velocity_changes (
  account VARCHAR,
  transaction_id VARCHAR,
  amount DECIMAL(12, 2),
  txn_count BIGINT,
  window_start BIGINT,
  window_end BIGINT,
  event_time BIGINT,
  produced_at BIGINT
) WITH (KAFKA_TOPIC = 'high_velocity', VALUE_FORMAT = 'JSON', TIMESTAMP = 'event_time');

INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}')
SELECT
  account,
  'high_velocity' AS rule_id,
  AS_VALUE(account) AS account_id,
  transaction_id,
  amount,
  txn_count,
  window_start,
  window_end,
  event_time,
  produced_at
FROM high_velocity_changes
WHERE account IS NOT NULL
PARTITION BY account
EMIT CHANGES;
