-- id: fan_out
-- title: More than 5 payees within 8 hours
-- severity: warning
-- score: 450
-- threshold: 5
-- deploy: optional
-- catches: Money is passed on: transfers of R$ 50 or more to six different payees within 8 hours (Tazama 017,
--   divergence; a mule empties itself).

CREATE TABLE IF NOT EXISTS fan_out WITH (KAFKA_TOPIC = 'fan_out', VALUE_FORMAT = 'JSON') AS
SELECT
  account_id,
  AS_VALUE(account_id) AS account,
  LATEST_BY_OFFSET(transaction_id) AS transaction_id,
  SUM(amount) AS amount,
  COUNT_DISTINCT(payee_id) AS txn_count,
  WINDOWSTART AS window_start,
  WINDOWEND AS window_end,
  MAX(event_time) AS event_time,
  MAX(produced_at) AS produced_at
FROM transactions
WINDOW HOPPING (SIZE 8 HOURS, ADVANCE BY 2 HOURS, GRACE PERIOD 10 MINUTES)
WHERE channel = 'PIX' AND payee_id IS NOT NULL AND amount >= 50
GROUP BY account_id
HAVING COUNT_DISTINCT(payee_id) > 5
EMIT CHANGES;

-- A table's changes are read as a plain stream, because a windowed table cannot feed another query.
CREATE STREAM IF NOT EXISTS fan_out_changes (
  account VARCHAR,
  transaction_id VARCHAR,
  amount DECIMAL(12, 2),
  txn_count BIGINT,
  window_start BIGINT,
  window_end BIGINT,
  event_time BIGINT,
  produced_at BIGINT
) WITH (KAFKA_TOPIC = 'fan_out', VALUE_FORMAT = 'JSON', TIMESTAMP = 'event_time');

INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}')
SELECT
  account,
  'fan_out' AS rule_id,
  AS_VALUE(account) AS account_id,
  transaction_id,
  amount,
  txn_count,
  window_start,
  window_end,
  event_time,
  produced_at
FROM fan_out_changes
WHERE account IS NOT NULL
PARTITION BY account
EMIT CHANGES;
