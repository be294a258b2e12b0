-- name: open_bench_users
-- Open a run of users whose ids follow from their numbers.
INSERT INTO users (id, email, client_class)
SELECT
    ('b0000000-0000-7000-8000-' || 100000000000 + n)::uuid,
    n || '@bench.example',
    'professional'
FROM generate_series(%(first)s::integer, %(last)s::integer) AS n;

-- name: open_bench_wallets
-- Open an empty wallet for each of them.
INSERT INTO user_balances (user_id, currency)
SELECT ('b0000000-0000-7000-8000-' || 100000000000 + n)::uuid, 'USD'
FROM generate_series(%(first)s::integer, %(last)s::integer) AS n;

-- name: open_bench_holders
-- Give these wallets their holder rows.
INSERT INTO ledger_holders (id, kind, currency)
SELECT w.holder_id, 'wallet', 'USD'
FROM generate_series(%(first)s::integer, %(last)s::integer) AS n
JOIN user_balances AS w
    ON w.user_id = ('b0000000-0000-7000-8000-' || 100000000000 + n)::uuid AND w.currency = 'USD';

-- name: bench_wallet_ids
-- Read the holders of the first wallets.
SELECT w.holder_id::text
FROM user_balances AS w
ORDER BY w.user_id
LIMIT %(count)s::integer;

-- name: open_bench_traders
-- Give a run of users the trader's role.
INSERT INTO user_roles (user_id, role)
SELECT ('b0000000-0000-7000-8000-' || 100000000000 + n)::uuid, 'trader'
FROM generate_series(%(first)s::integer, %(last)s::integer) AS n;

-- name: open_bench_accounts
-- Open an empty account for each of a run of users; account and user share the number in their ids.
WITH opened AS (
    SELECT
        ('a0000000-0000-7000-8000-' || 100000000000 + n)::uuid AS id,
        ('b0000000-0000-7000-8000-' || 100000000000 + n)::uuid AS user_id
    FROM generate_series(%(first)s::integer, %(last)s::integer) AS n
), holders AS (
    INSERT INTO ledger_holders (id, kind, currency)
    SELECT o.id, 'account', 'USD'
    FROM opened AS o
)
INSERT INTO accounts (id, user_id, currency, leverage)
SELECT o.id, o.user_id, 'USD', 100
FROM opened AS o
RETURNING id::text;
