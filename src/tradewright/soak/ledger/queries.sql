-- name: entries_in_order
-- Read the whole journal by holder and version.
SELECT
    e.holder_id::text,
    e.version,
    e.transaction_id::text,
    e.operation,
    e.effect,
    e.amount,
    e.available_after,
    e.reserved_after,
    e.hold_id::text
FROM balance_ledger AS e
ORDER BY e.holder_id, e.version;

-- name: balances_of_holders
-- Read what every wallet and account holds.
SELECT
    b.holder_id::text,
    b.available,
    b.reserved
FROM holder_balances AS b;
