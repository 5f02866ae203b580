-- id: round_trip
-- title: Money that comes back within a day
-- severity: warning
-- score: 450
-- deploy: optional
-- catches: A pays B, and within 24 hours B pays A about the same: at least R$ 500, within a tenth (AMLSim cycles of
--   two). Loans among friends look alike.

CREATE STREAM IF NOT EXISTS round_trip_in WITH (KAFKA_TOPIC = 'round_trip_in', VALUE_FORMAT = 'JSON') AS
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
  'round_trip' AS rule_id,
  AS_VALUE(o.account_id) AS account_id,
  o.transaction_id AS transaction_id,
  o.amount AS amount,
  CAST(1 AS BIGINT) AS txn_count,
  CAST(NULL AS BIGINT) AS window_start,
  CAST(NULL AS BIGINT) AS window_end,
  o.event_time AS event_time,
  o.produced_at AS produced_at
FROM transactions o
JOIN round_trip_in i WITHIN 24 HOURS GRACE PERIOD 1 MINUTE ON o.account_id = i.payee_id
WHERE o.payee_id = i.sender AND o.event_time >= i.event_time AND ABS(o.amount - i.amount) * 10 <= i.amount
EMIT CHANGES;
