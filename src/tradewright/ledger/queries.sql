-- name: write_movements
-- Write entries in bulk, each with its transfer unless the other side's entry brings it.
-- What it sets tells the guards that the balances are written next.
WITH entry AS MATERIALIZED (
    SELECT n.*
    FROM (SELECT set_config('tradewright.writes_batches', 'on', true) OFFSET 0) AS batch
    CROSS JOIN unnest(
        %(holder_ids)s::uuid[], %(versions)s::bigint[], %(user_ids)s::uuid[],
        %(currencies)s::text[], %(transaction_ids)s::uuid[], %(operations)s::text[],
        %(changes)s::numeric[], %(available_before)s::numeric[], %(reserved)s::numeric[],
        %(transfer_ids)s::uuid[], %(transfer_operations)s::text[], %(other_ids)s::uuid[]
    ) AS n (
        holder_id, version, user_id, currency, transaction_id, operation, change,
        available_before, reserved, transfer_id, transfer_operation, other_id
    )
), transfer AS (
    INSERT INTO transfers (
        id, transaction_id, operation, debit_holder_id, credit_holder_id, currency, amount
    )
    SELECT
        transfer_id,
        transaction_id,
        transfer_operation,
        CASE WHEN change < 0 THEN holder_id ELSE other_id END,
        CASE WHEN change < 0 THEN other_id ELSE holder_id END,
        currency,
        abs(change)
    FROM entry
    WHERE transfer_operation IS NOT NULL
)
INSERT INTO balance_ledger (
    holder_id, version, user_id, currency, transaction_id, operation, effect, amount,
    available_before, available_after, reserved_before, reserved_after, transfer_id
)
SELECT
    holder_id,
    version,
    user_id,
    currency,
    transaction_id,
    operation,
    CASE WHEN change < 0 THEN 'debit' ELSE 'credit' END,
    abs(change),
    available_before,
    available_before + change,
    reserved,
    reserved,
    transfer_id
FROM entry;

-- name: write_entries_and_holds
-- Write entries as write_movements does, some of which make or draw holds, together with the holds.
WITH entry AS MATERIALIZED (
    SELECT
        n.*,
        coalesce(n.effect, CASE WHEN n.change < 0 THEN 'debit' ELSE 'credit' END) AS done,
        greatest(abs(n.change), abs(n.reserved_after - n.reserved)) AS amount
    FROM (SELECT set_config('tradewright.writes_batches', 'on', true) OFFSET 0) AS batch
    CROSS JOIN unnest(
        %(holder_ids)s::uuid[], %(versions)s::bigint[], %(user_ids)s::uuid[],
        %(currencies)s::text[], %(transaction_ids)s::uuid[], %(operations)s::text[],
        %(changes)s::numeric[], %(available_before)s::numeric[], %(reserved)s::numeric[],
        %(transfer_ids)s::uuid[], %(transfer_operations)s::text[], %(other_ids)s::uuid[],
        %(effects)s::text[], %(reserved_after)s::numeric[], %(hold_ids)s::uuid[]
    ) AS n (
        holder_id, version, user_id, currency, transaction_id, operation, change,
        available_before, reserved, transfer_id, transfer_operation, other_id,
        effect, reserved_after, hold_id
    )
), transfer AS (
    INSERT INTO transfers (
        id, transaction_id, operation, debit_holder_id, credit_holder_id, currency, amount
    )
    SELECT
        transfer_id,
        transaction_id,
        transfer_operation,
        CASE WHEN done = 'credit' THEN other_id ELSE holder_id END,
        CASE WHEN done = 'credit' THEN holder_id ELSE other_id END,
        currency,
        amount
    FROM entry
    WHERE transfer_operation IS NOT NULL
), made AS (
    -- An expiry that passes between decision and writing does not come before the beginning.
    INSERT INTO balance_holds (id, holder_id, purpose, amount, remaining, created_at, expires_at)
    SELECT
        n.id,
        n.holder_id,
        n.purpose,
        n.amount,
        n.remaining,
        least(clock_timestamp(), n.expires_at - interval '1 microsecond'),
        n.expires_at
    FROM unnest(
        %(made_ids)s::uuid[], %(made_holder_ids)s::uuid[], %(made_purposes)s::text[],
        %(made_amounts)s::numeric[], %(made_remaining)s::numeric[],
        %(made_expires_at)s::timestamptz[]
    ) AS n (id, holder_id, purpose, amount, remaining, expires_at)
), drawn AS (
    UPDATE balance_holds AS h
    SET remaining = n.remaining, updated_at = clock_timestamp()
    FROM unnest(%(drawn_ids)s::uuid[], %(drawn_remaining)s::numeric[]) AS n (id, remaining)
    WHERE h.id = n.id
)
INSERT INTO balance_ledger (
    holder_id, version, user_id, currency, transaction_id, operation, effect, amount,
    available_before, available_after, reserved_before, reserved_after, transfer_id, hold_id
)
SELECT
    holder_id,
    version,
    user_id,
    currency,
    transaction_id,
    operation,
    done,
    amount,
    available_before,
    available_before + change,
    reserved,
    reserved_after,
    transfer_id,
    hold_id
FROM entry;

-- name: update_wallet_balances_and_reserved
-- Set the balances that the batch's entries lead to, where some were set aside or drawn.
WITH written AS (
    UPDATE user_balances AS w
    SET
        available = n.balance,
        reserved = n.reserved,
        version = n.version,
        updated_at = clock_timestamp()
    FROM unnest(
        %(ids)s::uuid[],
        %(places)s::tid[],
        %(balances)s::numeric[],
        %(versions)s::bigint[],
        %(reserved)s::numeric[]
    ) AS n (id, place, balance, version, reserved)
    WHERE w.ctid = n.place AND w.holder_id = n.id
    RETURNING w.holder_id
)
SELECT require_balances_written(count(*), cardinality(%(ids)s::uuid[]))
FROM written;

-- name: wallets_of_holds
-- Find whose the holds are; that never changes.
SELECT DISTINCT h.holder_id::text
FROM balance_holds AS h
WHERE h.id = ANY(%(ids)s::uuid[]);

-- name: instants_passed
-- Find the places of instants that have passed by the server's clock.
SELECT n.place
FROM unnest(%(instants)s::timestamptz[]) WITH ORDINALITY AS n (instant, place)
WHERE n.instant <= clock_timestamp();

-- name: lock_holds
-- Lock holds in key order, after their wallets, and read them.
SELECT
    h.id::text,
    h.holder_id::text,
    h.purpose,
    h.amount,
    h.remaining,
    coalesce(h.expires_at <= clock_timestamp(), false)
FROM balance_holds AS h
WHERE h.id = ANY(%(ids)s::uuid[])
ORDER BY h.id
FOR NO KEY UPDATE;

-- name: draws_of_transactions
-- Find what some transactions have done with holds before.
SELECT
    e.transaction_id::text,
    e.operation,
    e.holder_id::text,
    e.amount,
    e.hold_id::text,
    h.purpose,
    t.credit_holder_id::text,
    nullif(h.expires_at, 'infinity')
FROM balance_ledger AS e
JOIN balance_holds AS h ON h.id = e.hold_id
LEFT JOIN transfers AS t ON t.id = e.transfer_id
WHERE e.transaction_id = ANY(%(transaction_ids)s::uuid[]);

-- name: update_account_balances
-- Set the balances that the batch's entries lead to.
UPDATE accounts AS a
SET balance = n.balance, version = n.version, updated_at = clock_timestamp()
FROM unnest(%(ids)s::uuid[], %(balances)s::numeric[], %(versions)s::bigint[])
    AS n (id, balance, version)
WHERE a.id = n.id;

-- name: update_wallet_balances
-- Set the balances that the batch's entries lead to, at the places where the wallets were locked.
WITH written AS (
    UPDATE user_balances AS w
    SET available = n.balance, version = n.version, updated_at = clock_timestamp()
    FROM unnest(
        %(ids)s::uuid[], %(places)s::tid[], %(balances)s::numeric[], %(versions)s::bigint[]
    ) AS n (id, place, balance, version)
    WHERE w.ctid = n.place AND w.holder_id = n.id
    RETURNING w.holder_id
)
SELECT require_balances_written(count(*), cardinality(%(ids)s::uuid[]))
FROM written;

-- name: lock_wallets
-- Lock wallets in key order and read them.
SELECT
    w.holder_id::text,
    w.user_id::text,
    w.currency,
    w.available,
    w.reserved,
    w.version,
    w.status,
    w.ctid::text
FROM user_balances AS w
WHERE w.holder_id = ANY(%(ids)s::uuid[])
ORDER BY w.holder_id
FOR NO KEY UPDATE OF w;

-- name: lock_accounts
-- Lock trading accounts in key order and read them as holders, with their owners' status.
SELECT
    a.id::text,
    a.user_id::text,
    a.currency,
    a.balance,
    a.version,
    a.status,
    u.status
FROM accounts AS a
JOIN users AS u ON u.id = a.user_id
WHERE a.id = ANY(%(ids)s::uuid[])
ORDER BY a.id
FOR NO KEY UPDATE OF a;

-- name: promises_of_accounts
-- Tell what keeps the money of locked accounts in them: positions, orders in flight, orders that bind.
SELECT
    a.id::text,
    EXISTS (SELECT FROM positions AS p WHERE p.account_id = a.id AND p.is_open),
    EXISTS (
        SELECT FROM orders AS o
        WHERE o.account_id = a.id AND o.remaining_quantity > 0 AND o.is_routed
    ),
    g.pending_margin <> 'none' AND EXISTS (
        SELECT FROM orders AS o WHERE o.account_id = a.id AND o.remaining_quantity > 0
    )
FROM accounts AS a
JOIN account_groups AS g ON g.code = a.group_code
WHERE a.id = ANY(%(ids)s::uuid[]);

-- name: wallets_of_users
-- Find the wallets of some users in some currencies, pair by pair.
SELECT
    w.user_id::text,
    w.currency,
    w.holder_id::text
FROM user_balances AS w
JOIN unnest(%(user_ids)s::uuid[], %(currencies)s::text[]) AS p (user_id, currency)
    ON w.user_id = p.user_id AND w.currency = p.currency;

-- name: open_wallets
-- Open the wallets that do not exist yet; of two openers one waits and does nothing.
INSERT INTO user_balances (user_id, currency)
SELECT p.user_id, p.currency
FROM unnest(%(user_ids)s::uuid[], %(currencies)s::text[]) AS p (user_id, currency)
ORDER BY p.user_id, p.currency
ON CONFLICT (user_id, currency) DO NOTHING
RETURNING holder_id, currency;

-- name: open_wallet_holders
-- Give newly opened wallets their holder rows.
INSERT INTO ledger_holders (id, kind, currency)
SELECT p.id, 'wallet', p.currency
FROM unnest(%(ids)s::uuid[], %(currencies)s::text[]) AS p (id, currency);

-- name: entries_of_transactions
-- Find what some (transaction, operation) pairs have done before.
SELECT
    e.transaction_id::text,
    e.operation,
    e.holder_id::text,
    e.amount,
    e.version
FROM balance_ledger AS e
JOIN unnest(%(transaction_ids)s::uuid[], %(operations)s::text[]) AS p (transaction_id, operation)
    ON e.transaction_id = p.transaction_id AND e.operation = p.operation;

-- name: movements_of_transactions
-- Find what some transactions have done before, operation by operation, and between whom.
SELECT
    e.transaction_id::text,
    e.operation,
    t.debit_holder_id::text,
    t.credit_holder_id::text,
    e.amount
FROM balance_ledger AS e
LEFT JOIN transfers AS t ON t.id = e.transfer_id
WHERE e.transaction_id = ANY(%(transaction_ids)s::uuid[]);

-- name: house_holders_among
-- Find which of some ids are the house's holders, with their currencies; `receivables` moves with debts alone.
SELECT h.id::text, h.currency
FROM house_accounts AS h
WHERE h.id = ANY(%(ids)s::uuid[]) AND h.code <> 'receivables';

-- name: house_holders
-- Open the house's holders of some currencies and read their ids.
SELECT c.currency, h.code, house_holder(h.code, c.currency)::text
FROM unnest(%(currencies)s::text[]) AS c (currency)
CROSS JOIN unnest(%(codes)s::text[]) AS h (code);

-- name: credit
-- Move money from the house to a wallet.
SELECT * FROM credit_user_balance(
    %(user_id)s::uuid, %(currency)s, %(amount)s::numeric, %(transaction_id)s::uuid, %(house)s
);

-- name: debit
-- Move available money from a wallet to the house, on conditions.
SELECT * FROM debit_user_balance(
    %(user_id)s::uuid, %(currency)s, %(amount)s::numeric, %(transaction_id)s::uuid, %(house)s,
    %(min_available)s::numeric, %(expected_version)s::bigint
);

-- name: reserve
-- Set available money of a wallet aside, on conditions.
SELECT * FROM reserve_user_balance(
    %(user_id)s::uuid, %(currency)s, %(amount)s::numeric, %(transaction_id)s::uuid, %(purpose)s,
    %(expires_at)s::timestamptz, %(min_available)s::numeric, %(expected_version)s::bigint
);

-- name: reverse
-- Take a movement between a wallet and the house back.
SELECT * FROM reverse_user_movement(
    %(reversed_id)s::uuid, %(reversed_operation)s, %(transaction_id)s::uuid, %(amount)s::numeric
);

-- name: move_between_houses
-- Move money from one house holder to another.
SELECT write_transfer(
    %(transaction_id)s::uuid, %(operation)s, house_holder(%(giver)s, %(currency)s),
    house_holder(%(receiver)s, %(currency)s), %(currency)s, %(amount)s::numeric
)::text;

-- name: move_between_houses_at_once
-- Move money between house holders in bulk; who asks makes sure that nothing is asked twice.
SELECT write_transfer(
    m.transaction_id, m.operation, house_holder(m.giver, m.currency),
    house_holder(m.receiver, m.currency), m.currency, m.amount
)::text
FROM unnest(
    %(transaction_ids)s::uuid[], %(operations)s::text[], %(givers)s::text[], %(receivers)s::text[],
    %(currencies)s::text[], %(amounts)s::numeric[]
) AS m (transaction_id, operation, giver, receiver, currency, amount);

-- name: expire_holds
-- Give expired holds back to their wallets, but for the oldest that were refused before.
SELECT released_count, refused_count, refusal
FROM expire_user_holds(%(count_max)s::integer, %(skip_count)s::integer);

-- name: release
-- Give a hold, or part of it, back.
SELECT * FROM release_user_balance(
    %(hold_id)s::uuid, %(transaction_id)s::uuid, %(amount)s::numeric
);

-- name: capture
-- Move a hold, or part of it, to the house.
SELECT * FROM debit_reserved_balance(
    %(hold_id)s::uuid, %(transaction_id)s::uuid, %(amount)s::numeric, %(house)s
);

-- name: transfer_to_account
-- Move available money from the owner's wallet to a trading account.
SELECT * FROM transfer_to_account(
    %(account_id)s::uuid, %(amount)s::numeric, %(transaction_id)s::uuid
);

-- name: transfer_to_wallet
-- Move money from a trading account without positions to the owner's wallet.
SELECT * FROM transfer_to_wallet(
    %(account_id)s::uuid, %(amount)s::numeric, %(transaction_id)s::uuid
);

-- name: exchange
-- Exchange available money of a wallet into another currency of the same user.
SELECT * FROM exchange_user_balance(
    %(user_id)s::uuid, %(from_currency)s, %(to_currency)s, %(amount)s::numeric,
    %(mid_rate)s::numeric, %(spread)s::numeric, %(transaction_id)s::uuid
);

-- name: release_holds
-- Give all that remains of several holds back, or none of it.
SELECT * FROM release_user_holds(%(hold_ids)s::uuid[], %(transaction_id)s::uuid);

-- name: capture_holds
-- Move all that remains of several holds to the house, or none of it.
SELECT * FROM capture_user_holds(%(hold_ids)s::uuid[], %(transaction_id)s::uuid);

-- name: set_wallet_status
-- Freeze, activate or close a wallet.
SELECT * FROM set_wallet_status(
    %(user_id)s::uuid, %(currency)s, %(status)s, %(reason)s, %(transaction_id)s::uuid
);

-- name: wallets_of_user
-- Read the wallets of a user, by currency.
SELECT currency, status, available, reserved, version
FROM user_balances
WHERE user_id = %(user_id)s::uuid
ORDER BY currency;

-- name: wallet_with_holds
-- Read a wallet and what its holds are for.
SELECT
    b.holder_id::text,
    b.status,
    b.version,
    b.available,
    b.reserved,
    b.order_held,
    b.withdrawal_held,
    b.refund_held,
    b.dispute_held,
    b.unconfirmed_held,
    b.open_holds
FROM wallet_breakdown AS b
WHERE b.user_id = %(user_id)s::uuid AND b.currency = %(currency)s;

-- name: balance_at
-- Read what a holder had at an instant.
SELECT b.version, b.available, b.reserved, b.entered_at
FROM balance_at(%(holder_id)s::uuid, %(at)s::timestamptz) AS b;

-- name: user_history
-- Read the entries of a user over a time, the newest first.
SELECT
    e.created_at,
    e.holder_id::text,
    e.version,
    e.currency,
    e.transaction_id::text,
    e.operation,
    e.effect,
    e.amount,
    e.available_before,
    e.available_after,
    e.reserved_before,
    e.reserved_after,
    e.hold_id::text
FROM user_balance_history(
    %(user_id)s::uuid, %(since)s::timestamptz, %(until)s::timestamptz, %(count_max)s::bigint
) AS e;

-- name: holder_entries
-- Read the entries of one wallet or account, the newest first, from before a version on.
SELECT
    e.created_at,
    e.holder_id::text,
    e.version,
    e.currency,
    e.transaction_id::text,
    e.operation,
    e.effect,
    e.amount,
    e.available_before,
    e.available_after,
    e.reserved_before,
    e.reserved_after,
    e.hold_id::text
FROM balance_ledger AS e
WHERE e.holder_id = %(holder_id)s::uuid
  AND (%(before)s::bigint IS NULL OR e.version < %(before)s::bigint)
ORDER BY e.version DESC
LIMIT %(count_max)s::integer;

-- name: user_holds_nothing
-- Tell by a row that a user has neither wallet nor account.
SELECT 1
WHERE NOT EXISTS (SELECT FROM user_balances AS w WHERE w.user_id = %(user_id)s::uuid)
  AND NOT EXISTS (SELECT FROM accounts AS a WHERE a.user_id = %(user_id)s::uuid);

-- name: roll_up_house_balances
-- Count what was committed since the last time into the house's balances.
SELECT roll_up_house_balances(%(from_zero)s);

-- name: house_positions
-- Read what every house account holds now.
SELECT p.code, p.currency, p.received, p.given, p.balance
FROM house_positions AS p
ORDER BY p.currency, p.code;

-- name: liabilities
-- Sum what each user is owed, by currency: wallets, and accounts that are not below zero.
SELECT o.currency, o.user_id::text, sum(o.amount) AS amount, statement_timestamp() AS taken_at
FROM (
    SELECT w.currency, w.user_id, w.available + w.reserved AS amount
    FROM user_balances AS w
    UNION ALL
    SELECT a.currency, a.user_id, greatest(a.balance, 0)
    FROM accounts AS a
) AS o
GROUP BY o.currency, o.user_id
ORDER BY o.currency, o.user_id;
