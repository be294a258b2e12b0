-- name: keep_statement
-- Keep a statement, each file once per provider, and once more each time that it was withdrawn.
INSERT INTO provider_statements (provider, digest, format, withdrawn_before)
SELECT %(provider)s, %(digest)s, %(format)s, count(*)
FROM provider_statements AS s
JOIN provider_statement_withdrawals AS w ON w.statement_id = s.id
WHERE s.provider = %(provider)s AND s.digest = %(digest)s
ON CONFLICT (provider, digest, withdrawn_before) DO NOTHING
RETURNING id::text;

-- name: statements
-- Read the statements of a provider, or of all, the newest first, with what became of them.
SELECT
    s.id::text,
    s.provider,
    s.format,
    s.imported_at,
    (SELECT count(*) FROM provider_statement_lines AS l WHERE l.statement_id = s.id),
    (SELECT count(*) FROM payment_settlement_lines AS x WHERE x.statement_id = s.id),
    w.actor,
    w.reason
FROM provider_statements AS s
LEFT JOIN provider_statement_withdrawals AS w ON w.statement_id = s.id
WHERE %(provider)s::text IS NULL OR s.provider = %(provider)s
ORDER BY s.imported_at DESC, s.id DESC
LIMIT %(count_max)s;

-- name: statement
-- Read whose statement this is.
SELECT provider FROM provider_statements WHERE id = %(id)s::uuid;

-- name: withdraw_statement
-- Let a statement count no more; one that was withdrawn before stays as it is.
INSERT INTO provider_statement_withdrawals (statement_id, actor, reason)
VALUES (%(id)s::uuid, %(actor)s, %(reason)s)
ON CONFLICT (statement_id) DO NOTHING;

-- name: keep_lines
-- Keep the lines of a statement.
INSERT INTO provider_statement_lines (
    statement_id, line_number, kind, reference, currency, amount, fee, booked_on
)
SELECT %(statement_id)s::uuid, n.line_number, n.kind, n.reference, n.currency, n.amount, n.fee, n.booked_on
FROM unnest(
    %(kinds)s::text[], %(references)s::text[], %(currencies)s::text[], %(amounts)s::numeric[],
    %(fees)s::numeric[], %(days)s::date[]
) WITH ORDINALITY AS n (kind, reference, currency, amount, fee, booked_on, line_number);

-- name: recorded
-- Read what our books know of a provider's movements since a day, and of what differs still.
SELECT
    m.kind,
    m.reference,
    m.currency,
    m.amount,
    m.status,
    m.is_done,
    m.is_booked,
    coalesce((
        SELECT sum(
            CASE
                WHEN (t.debit_holder_id = h.id) = (m.kind IN ('deposit', 'return')) THEN t.amount
                ELSE -t.amount
            END
        )
        FROM house_accounts AS h
        CROSS JOIN LATERAL (
            SELECT e.transfer_id
            FROM balance_ledger AS e
            WHERE e.transaction_id = m.id AND e.operation = ANY(m.operations)
            UNION ALL
            SELECT m.transfer_id
        ) AS e
        JOIN transfers AS t ON t.id = e.transfer_id AND h.id IN (t.debit_holder_id, t.credit_holder_id)
        WHERE h.code = %(clearing)s AND h.currency = m.currency
    ), 0) AS ledger_amount,
    clock_timestamp() - m.changed_at AS age
FROM (
    SELECT
        p.id,
        p.kind,
        p.reference,
        p.currency,
        p.amount,
        p.status,
        p.status = 'succeeded' OR r.is_returned OR r.is_dropped AS is_done,
        p.status IN ('succeeded', 'unconfirmed') OR r.is_returned AS is_booked,
        coalesce(p.completed_at, p.updated_at) AS changed_at,
        CASE
            WHEN p.kind = 'withdrawal' THEN ARRAY['capture', 'debit']
            WHEN r.is_dropped THEN ARRAY['credit']
            ELSE ARRAY['credit', 'reversal']
        END AS operations,
        NULL::uuid AS transfer_id
    FROM payment_transactions AS p
    CROSS JOIN LATERAL (
        SELECT
            p.status = 'reversed' AND p.arrived_at IS NOT NULL AS is_dropped,
            EXISTS (
                SELECT FROM balance_ledger AS b WHERE b.transaction_id = p.id AND b.operation = 'reversal'
            ) AND (p.kind = 'withdrawal' OR p.arrived_at IS NOT NULL) AS is_returned
    ) AS r
    WHERE p.provider = %(provider)s
      AND p.reference IS NOT NULL
      -- What came for a refused deposit stands below, with what came.
      AND NOT EXISTS (SELECT FROM suspense_items AS i WHERE i.payment_id = p.id)
    UNION ALL
    -- What was final and is taken back came and went: until it is final a provider states nothing.
    SELECT
        p.id,
        'refund',
        p.reference,
        p.currency,
        p.amount,
        p.status,
        true,
        EXISTS (SELECT FROM balance_ledger AS b WHERE b.transaction_id = p.id AND b.operation = 'reversal'),
        p.completed_at,
        ARRAY['reversal'],
        NULL
    FROM payment_transactions AS p
    WHERE p.provider = %(provider)s
      AND p.reference IS NOT NULL
      AND p.status = 'reversed'
      AND p.arrived_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM suspense_items AS i WHERE i.payment_id = p.id)
    UNION ALL
    SELECT
        i.id,
        v.kind,
        v.reference,
        i.currency,
        i.amount,
        v.status,
        true,
        true,
        v.changed_at,
        ARRAY[]::text[],
        v.transfer_id
    FROM suspense_items AS i
    JOIN payment_transactions AS p ON p.id = i.payment_id AND p.provider = %(provider)s
    CROSS JOIN LATERAL (
        SELECT 'deposit', p.reference, 'in suspense', i.opened_at, i.transfer_id
        UNION ALL
        SELECT
            CASE
                WHEN s.kind = 'send_back' AND p.provider = 'chain' THEN 'withdrawal'
                WHEN s.kind = 'dispute' THEN 'dispute'
                ELSE 'refund'
            END,
            s.reference,
            s.status,
            s.completed_at,
            s.transfer_id
        FROM suspense_returns AS s
        WHERE s.item_id = i.id AND s.transfer_id IS NOT NULL
        UNION ALL
        SELECT 'return', s.reference, s.status, s.completed_at, s.reversal_id
        FROM suspense_returns AS s
        WHERE s.item_id = i.id AND s.reversal_id IS NOT NULL
    ) AS v (kind, reference, status, changed_at, transfer_id)
    UNION ALL
    SELECT
        p.id,
        'return',
        p.reference,
        p.currency,
        p.amount,
        p.status,
        true,
        true,
        p.completed_at,
        ARRAY['reversal'],
        NULL
    FROM payment_transactions AS p
    JOIN balance_ledger AS b ON b.transaction_id = p.id AND b.operation = 'reversal'
    WHERE p.provider = %(provider)s AND p.reference IS NOT NULL AND p.kind = 'withdrawal'
    UNION ALL
    SELECT
        c.id,
        c.kind,
        c.reference,
        p.currency,
        c.amount,
        c.status,
        c.status IN ('succeeded', 'lost') OR t.has_left,
        c.status IN ('succeeded', 'lost') OR t.has_left,
        coalesce(c.completed_at, c.updated_at),
        ARRAY['capture', 'debit'],
        NULL
    FROM payment_claims AS c
    JOIN payment_transactions AS p ON p.id = c.payment_id
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT FROM balance_ledger AS b WHERE b.transaction_id = c.id AND b.operation IN ('capture', 'debit')
        ) AS has_left
    ) AS t
    WHERE p.provider = %(provider)s AND c.reference IS NOT NULL
    UNION ALL
    SELECT
        c.id,
        'return',
        c.reference,
        p.currency,
        c.amount,
        c.status,
        true,
        true,
        c.completed_at,
        ARRAY['reversal'],
        NULL
    FROM payment_claims AS c
    JOIN payment_transactions AS p ON p.id = c.payment_id
    JOIN balance_ledger AS b ON b.transaction_id = c.id AND b.operation = 'reversal'
    WHERE p.provider = %(provider)s AND c.reference IS NOT NULL
) AS m
WHERE m.changed_at >= %(since)s::date::timestamp AT TIME ZONE 'UTC'
   OR EXISTS (
       SELECT FROM provider_statement_lines AS l
       JOIN provider_statements AS s ON s.id = l.statement_id AND s.provider = %(provider)s
       WHERE l.reference = m.reference
         AND l.kind = m.kind
         AND l.booked_on >= %(since)s::date
         AND NOT EXISTS (SELECT FROM provider_statement_withdrawals AS w WHERE w.statement_id = l.statement_id)
   )
   OR EXISTS (
       SELECT FROM reconciliation_breaks AS b
       WHERE b.provider = %(provider)s AND b.kind = m.kind AND b.reference = m.reference AND b.closed_at IS NULL
   );

-- name: lines
-- Read the lines of a provider's statements since a day, and of what changed since or differs still.
SELECT l.kind, l.reference, l.currency, l.amount, l.fee, l.booked_on
FROM provider_statement_lines AS l
JOIN provider_statements AS s ON s.id = l.statement_id AND s.provider = %(provider)s
WHERE NOT EXISTS (SELECT FROM provider_statement_withdrawals AS w WHERE w.statement_id = l.statement_id)
  AND (
      l.booked_on >= %(since)s::date
      OR (l.kind, l.reference) IN (
          SELECT n.kind, n.reference FROM unnest(%(kinds)s::text[], %(references)s::text[]) AS n (kind, reference)
      )
      OR EXISTS (
          SELECT FROM reconciliation_breaks AS b
          WHERE b.provider = s.provider AND b.kind = l.kind AND b.reference = l.reference AND b.closed_at IS NULL
      )
  )
ORDER BY l.statement_id, l.line_number;

-- name: close_breaks
-- Close the differences that this run no longer found: whatever differed was compared again.
UPDATE reconciliation_breaks AS b
SET closed_at = clock_timestamp()
WHERE b.provider = %(provider)s
  AND b.closed_at IS NULL
  AND NOT EXISTS (
      SELECT FROM unnest(%(kinds)s::text[], %(references)s::text[], %(buckets)s::text[])
          AS n (kind, reference, bucket)
      WHERE n.kind = b.kind AND n.reference = b.reference AND n.bucket = b.bucket
  );

-- name: open_breaks
-- Open the differences that were not open before.
INSERT INTO reconciliation_breaks (provider, kind, reference, bucket, details)
SELECT %(provider)s, n.kind, n.reference, n.bucket, n.details::jsonb
FROM unnest(
    %(kinds)s::text[], %(references)s::text[], %(buckets)s::text[], %(details)s::text[]
) AS n (kind, reference, bucket, details)
ON CONFLICT (provider, kind, reference, bucket) WHERE closed_at IS NULL
DO UPDATE SET details = excluded.details;

-- name: breaks
-- Read the open differences of a provider, the oldest first.
SELECT kind, reference, bucket, details, opened_at, clock_timestamp() - opened_at
FROM reconciliation_breaks
WHERE (%(provider)s::text IS NULL OR provider = %(provider)s) AND closed_at IS NULL
ORDER BY opened_at, kind, reference;

-- name: lock_provider
-- Let one run at a time reconcile or settle a provider.
SELECT take_turn('reconciliation/' || %(provider)s::text);

-- name: unsettled_movements
-- Read which movements a provider's day has lines of that no settlement has taken yet.
SELECT DISTINCT l.kind, l.reference
FROM provider_statement_lines AS l
JOIN provider_statements AS s ON s.id = l.statement_id AND s.provider = %(provider)s
WHERE l.booked_on = %(day)s::date
  AND NOT EXISTS (SELECT FROM provider_statement_withdrawals AS w WHERE w.statement_id = l.statement_id)
  AND NOT EXISTS (
      SELECT FROM payment_settlement_lines AS x
      WHERE x.statement_id = l.statement_id AND x.line_number = l.line_number
  );

-- name: settlements
-- Read what a provider's day came to, each time that it was settled.
SELECT
    id::text,
    currency,
    settled_on,
    deposits,
    withdrawals,
    returns,
    refunds,
    disputes,
    fees,
    net,
    line_count
FROM payment_settlements
WHERE provider = %(provider)s AND settled_on = %(day)s::date
ORDER BY currency, id;

-- name: settle
-- Add up the lines of a provider's day that are not settled yet, by currency, and keep which they are.
WITH due AS (
    SELECT l.statement_id, l.line_number, l.kind, l.currency, l.amount, l.fee
    FROM provider_statement_lines AS l
    JOIN provider_statements AS s ON s.id = l.statement_id AND s.provider = %(provider)s
    WHERE l.booked_on = %(day)s::date
      AND NOT EXISTS (SELECT FROM provider_statement_withdrawals AS w WHERE w.statement_id = l.statement_id)
      AND NOT EXISTS (
          SELECT FROM payment_settlement_lines AS x
          WHERE x.statement_id = l.statement_id AND x.line_number = l.line_number
      )
), kept AS (
    INSERT INTO payment_settlements (
        provider, currency, settled_on, deposits, withdrawals, returns, refunds, disputes, fees, net, line_count
    )
    SELECT
        %(provider)s,
        t.currency,
        %(day)s::date,
        t.deposits,
        t.withdrawals,
        t.returns,
        t.refunds,
        t.disputes,
        t.fees,
        t.deposits + t.returns - t.withdrawals - t.refunds - t.disputes - t.fees,
        t.line_count
    FROM (
        SELECT
            currency,
            coalesce(sum(amount) FILTER (WHERE kind = 'deposit'), 0) AS deposits,
            coalesce(sum(amount) FILTER (WHERE kind = 'withdrawal'), 0) AS withdrawals,
            coalesce(sum(amount) FILTER (WHERE kind = 'return'), 0) AS returns,
            coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunds,
            coalesce(sum(amount) FILTER (WHERE kind = 'dispute'), 0) AS disputes,
            sum(fee) AS fees,
            count(*) AS line_count
        FROM due
        GROUP BY currency
    ) AS t
    RETURNING id, currency, fees, net
), settled AS (
    INSERT INTO payment_settlement_lines (statement_id, line_number, settlement_id)
    SELECT d.statement_id, d.line_number, k.id
    FROM due AS d
    JOIN kept AS k ON k.currency = d.currency
)
SELECT id::text, currency, fees, net
FROM kept
ORDER BY currency;
