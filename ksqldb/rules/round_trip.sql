-- id: round_trip
-- title: Money that comes round again within a day
-- severity: warning
-- score: 450
-- deploy: optional
-- catches: An account sends R$ 1,000 or more, and within 24 hours 70 to 100 % of it comes back, from whomever: the
--   first account of a ring that launders money (AMLSim cycles; each hop keeps a little). The alert is on what was
--   sent. A loan paid back on the same day looks alike.

CREATE STREAM IF NOT EXISTS round_trip_back WITH (KAFKA_TOPIC = 'round_trip_back', VALUE_FORMAT = 'JSON') AS
SELECT
  payee_id,
  amount,
  event_time,
  produced_at
FROM transactions
WHERE payee_id IS NOT NULL AND channel IN ('PIX', 'TED') AND amount >= 700
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
  b.produced_at AS produced_at
FROM transactions o
JOIN round_trip_back b WITHIN 24 HOURS GRACE PERIOD 1 MINUTE ON o.account_id = b.payee_id
WHERE
  o.channel IN ('PIX', 'TED') AND o.amount >= 1000
  AND b.event_time > o.event_time AND b.amount * 100 >= o.amount * 70 AND b.amount <= o.amount
EMIT CHANGES;
