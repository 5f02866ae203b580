-- id: shared_device
-- title: One device, more than 3 accounts
-- severity: warning
-- score: 450
-- threshold: 3
-- deploy: optional
-- catches: Four accounts are used from one device within 24 hours: a farm of mules, or one thief with many victims.
--   The alert is on the account that used it last.

CREATE TABLE IF NOT EXISTS shared_device WITH (KAFKA_TOPIC = 'shared_device', VALUE_FORMAT = 'JSON') AS
SELECT
  device_id,
  LATEST_BY_OFFSET(account_id) AS account,
  LATEST_BY_OFFSET(transaction_id) AS transaction_id,
  SUM(amount) AS amount,
  COUNT_DISTINCT(account_id) AS txn_count,
  WINDOWSTART AS window_start,
  WINDOWEND AS window_end,
  MAX(event_time) AS event_time,
  MAX(produced_at) AS produced_at
FROM transactions
WINDOW HOPPING (SIZE 24 HOURS, ADVANCE BY 4 HOURS, GRACE PERIOD 10 MINUTES)
WHERE device_id IS NOT NULL
GROUP BY device_id
HAVING COUNT_DISTINCT(account_id) > 3
EMIT CHANGES;

-- A table's changes are read as a plain stream, because a windowed table cannot feed another query.
CREATE STREAM IF NOT EXISTS shared_device_changes (
  account VARCHAR,
  transaction_id VARCHAR,
  amount DECIMAL(12, 2),
  txn_count BIGINT,
  window_start BIGINT,
  window_end BIGINT,
  event_time BIGINT,
  produced_at BIGINT
) WITH (KAFKA_TOPIC = 'shared_device', VALUE_FORMAT = 'JSON', TIMESTAMP = 'event_time');

INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}')
SELECT
  account,
  'shared_device' AS rule_id,
  AS_VALUE(account) AS account_id,
  transaction_id,
  amount,
  txn_count,
  window_start,
  window_end,
  event_time,
  produced_at
FROM shared_device_changes
WHERE account IS NOT NULL
PARTITION BY account
EMIT CHANGES;
