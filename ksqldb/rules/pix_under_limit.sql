-- id: pix_under_limit
-- title: More than 3 Pix just below R$ 200
-- severity: warning
-- score: 450
-- threshold: 3
-- deploy: optional
-- catches: A device that is not registered may send R$ 200 a Pix and R$ 1,000 a day (BCB, 2024): four Pix of R$ 150
--   to 200 within 24 hours to different payees are somebody who knows that.

CREATE TABLE IF NOT EXISTS pix_under_limit WITH (KAFKA_TOPIC = 'pix_under_limit', VALUE_FORMAT = 'JSON') AS
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
WHERE channel = 'PIX' AND amount >= 150 AND amount <= 200
GROUP BY account_id
HAVING COUNT(*) > 3 AND COUNT_DISTINCT(payee_id) > 2
EMIT CHANGES;

-- A table's changes are read as a plain stream, because a windowed table cannot feed another query.
CREATE STREAM IF NOT EXISTS pix_under_limit_changes (
  account VARCHAR,
  transaction_id VARCHAR,
  amount DECIMAL(12, 2),
  txn_count BIGINT,
  window_start BIGINT,
  window_end BIGINT,
  event_time BIGINT,
  produced_at BIGINT
) WITH (KAFKA_TOPIC = 'pix_under_limit', VALUE_FORMAT = 'JSON', TIMESTAMP = 'event_time');

INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}')
SELECT
  account,
  'pix_under_limit' AS rule_id,
  AS_VALUE(account) AS account_id,
  transaction_id,
  amount,
  txn_count,
  window_start,
  window_end,
  event_time,
  produced_at
FROM pix_under_limit_changes
WHERE account IS NOT NULL
PARTITION BY account
EMIT CHANGES;
