-- id: high_amount
-- title: Payment above R$ 3,000
-- severity: warning
-- score: 400
-- threshold: 3000
-- catches: One payment of more than R$ 3,000, whatever the account's habits are. A payment of exactly R$ 3,000.00
--   passes. Every such payment is one row.

INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}')
SELECT
  account_id AS account,
  'high_amount' AS rule_id,
  AS_VALUE(account_id) AS account_id,
  transaction_id,
  amount,
  CAST(1 AS BIGINT) AS txn_count,
  CAST(NULL AS BIGINT) AS window_start,
  CAST(NULL AS BIGINT) AS window_end,
  event_time,
  produced_at
FROM transactions
WHERE amount > 3000
EMIT CHANGES;
