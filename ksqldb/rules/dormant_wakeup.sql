-- id: dormant_wakeup
-- title: First payment after a quarter of a year
-- severity: info
-- score: 250
-- deploy: optional
-- catches: An account pays R$ 100 or more after 91.3 days without a payment (Tazama 003/004). The table keeps the
--   last two payments of every account, so it holds a row for each account that ever paid.

CREATE TABLE IF NOT EXISTS dormant_wakeup WITH (KAFKA_TOPIC = 'dormant_wakeup', VALUE_FORMAT = 'JSON') AS
SELECT
  account_id,
  AS_VALUE(account_id) AS account,
  LATEST_BY_OFFSET(transaction_id) AS transaction_id,
  LATEST_BY_OFFSET(amount) AS amount,
  CAST(1 AS BIGINT) AS txn_count,
  LATEST_BY_OFFSET(event_time) AS event_time,
  LATEST_BY_OFFSET(produced_at) AS produced_at
FROM transactions
GROUP BY account_id
HAVING
  LATEST_BY_OFFSET(event_time, 2)[2] - LATEST_BY_OFFSET(event_time, 2)[1] > 7888320000
  AND LATEST_BY_OFFSET(amount) >= 100
EMIT CHANGES;

-- A table's changes are read as a plain stream, because a windowed table cannot feed another query.
CREATE STREAM IF NOT EXISTS dormant_wakeup_changes (
  account VARCHAR,
  transaction_id VARCHAR,
  amount DECIMAL(12, 2),
  txn_count BIGINT,
  event_time BIGINT,
  produced_at BIGINT
) WITH (KAFKA_TOPIC = 'dormant_wakeup', VALUE_FORMAT = 'JSON', TIMESTAMP = 'event_time');

INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}')
SELECT
  account,
  'dormant_wakeup' AS rule_id,
  AS_VALUE(account) AS account_id,
  transaction_id,
  amount,
  txn_count,
  CAST(NULL AS BIGINT) AS window_start,
  CAST(NULL AS BIGINT) AS window_end,
  event_time,
  produced_at
FROM dormant_wakeup_changes
WHERE account IS NOT NULL
PARTITION BY account
EMIT CHANGES;
