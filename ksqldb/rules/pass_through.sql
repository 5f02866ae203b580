-- id: pass_through
-- title: What came in goes out again
-- severity: warning
-- score: 450
-- deploy: optional
-- catches: An account receives R$ 500 or more and within 24 hours sends 85 to 100 % of it to somebody else (Tazama
--   024-027, mirroring; a mule keeps a tenth).

CREATE STREAM IF NOT EXISTS pass_through_in WITH (KAFKA_TOPIC = 'pass_through_in', VALUE_FORMAT = 'JSON') AS
SELECT
  payee_id,
  account_id AS sender,
  amount,
  event_time
FROM transactions
WHERE payee_id IS NOT NULL AND channel IN ('PIX', 'TED') AND amount >= 500
PARTITION BY payee_id
EMIT CHANGES;

INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}')
SELECT
  o.account_id AS account,
  'pass_through' AS rule_id,
  AS_VALUE(o.account_id) AS account_id,
  o.transaction_id AS transaction_id,
  o.amount AS amount,
  CAST(1 AS BIGINT) AS txn_count,
  CAST(NULL AS BIGINT) AS window_start,
  CAST(NULL AS BIGINT) AS window_end,
  o.event_time AS event_time,
  o.produced_at AS produced_at
FROM transactions o
JOIN pass_through_in i WITHIN 24 HOURS GRACE PERIOD 1 MINUTE ON o.account_id = i.payee_id
WHERE o.payee_id <> i.sender AND o.event_time >= i.event_time AND o.amount * 100 >= i.amount * 85 AND o.amount <= i.amount
EMIT CHANGES;
