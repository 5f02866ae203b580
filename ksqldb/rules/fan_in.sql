-- id: fan_in
-- title: More than 4 payers within 24 hours
-- severity: info
-- score: 250
-- threshold: 4
-- deploy: optional
-- catches: Money is gathered: five different accounts send R$ 500 or more each to one payee within 24 hours (Tazama
--   016, convergence). The alert is on the payee. Shop owners look alike, so it is a hint.

CREATE TABLE IF NOT EXISTS fan_in WITH (KAFKA_TOPIC = 'fan_in', VALUE_FORMAT = 'JSON') AS
SELECT
  payee_id,
  AS_VALUE(payee_id) AS account,
  LATEST_BY_OFFSET(transaction_id) AS transaction_id,
  SUM(amount) AS amount,
  COUNT_DISTINCT(account_id) AS txn_count,
  WINDOWSTART AS window_start,
  WINDOWEND AS window_end,
  MAX(event_time) AS event_time,
  MAX(produced_at) AS produced_at
FROM transactions
WINDOW HOPPING (SIZE 24 HOURS, ADVANCE BY 4 HOURS, GRACE PERIOD 10 MINUTES)
WHERE channel = 'PIX' AND payee_id IS NOT NULL AND amount >= 500
GROUP BY payee_id
HAVING COUNT_DISTINCT(account_id) > 4
EMIT CHANGES;

-- A table's changes are read as a plain stream, because a windowed table cannot feed another query.
CREATE STREAM IF NOT EXISTS fan_in_changes (
  account VARCHAR,
  transaction_id VARCHAR,
  amount DECIMAL(12, 2),
  txn_count BIGINT,
  window_start BIGINT,
  window_end BIGINT,
  event_time BIGINT,
  produced_at BIGINT
) WITH (KAFKA_TOPIC = 'fan_in', VALUE_FORMAT = 'JSON', TIMESTAMP = 'event_time');

INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}')
SELECT
  account,
  'fan_in' AS rule_id,
  AS_VALUE(account) AS account_id,
  transaction_id,
  amount,
  txn_count,
  window_start,
  window_end,
  event_time,
  produced_at
FROM fan_in_changes
WHERE account IS NOT NULL
PARTITION BY account
EMIT CHANGES;
