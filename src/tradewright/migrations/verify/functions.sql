-- What `tradewright verify` calls from several sessions at once, and the laws that must hold after.

-- name: prepare_users
-- Three clients for eight sessions, so that they meet at the same wallets.
INSERT INTO users (id, email, client_class)
SELECT ('0199c1d2-0000-7000-8000-00000000000' || number)::uuid, number || '@example.org', 'retail'
FROM generate_series(0, 2) AS number;

-- name: prepare_wallets
-- Something to begin with.
SELECT credit_user_balance(id, 'USD', 25.03, uuidv7()) FROM users;

-- name: call_credit
-- Credit an odd amount.
SELECT credit_user_balance(
    ('0199c1d2-0000-7000-8000-00000000000' || (%(round)s::integer %% 3))::uuid, 'USD', 10.01, %(key)s
);

-- name: call_debit
-- Take more than is sometimes there.
SELECT debit_user_balance(
    ('0199c1d2-0000-7000-8000-00000000000' || (%(round)s::integer %% 3))::uuid, 'USD', 7.49, %(key)s
);

-- name: call_reserve
-- Set money aside.
SELECT reserve_user_balance(
    ('0199c1d2-0000-7000-8000-00000000000' || (%(worker)s::integer %% 3))::uuid,
    'USD',
    3.33,
    %(key)s,
    'withdrawal'
);

-- name: call_release
-- Give back a hold that another session may be giving back too.
SELECT release_user_balance(
    (SELECT id FROM balance_holds WHERE remaining > 0 ORDER BY id LIMIT 1), %(key)s
)
WHERE EXISTS (SELECT FROM balance_holds WHERE remaining > 0);

-- name: call_debit_reserved
-- Pay out of a hold.
SELECT debit_reserved_balance(
    (SELECT id FROM balance_holds WHERE remaining > 0 ORDER BY id DESC LIMIT 1), %(key)s
)
WHERE EXISTS (SELECT FROM balance_holds WHERE remaining > 0);

-- name: law_every_law
-- The laws of the house, each of them.
SELECT law, broken, examples FROM check_laws() WHERE broken > 0;

-- name: law_wallets_are_their_transfers
-- What the wallets hold is what came in less what went out, to the cent.
SELECT held.total, moved.total
FROM (SELECT sum(available + reserved) AS total FROM user_balances) AS held
CROSS JOIN (
    SELECT sum(CASE holder.kind WHEN 'house' THEN transfers.amount ELSE -transfers.amount END) AS total
    FROM transfers
    JOIN ledger_holders AS holder ON holder.id = transfers.debit_holder_id
) AS moved
WHERE held.total IS DISTINCT FROM moved.total;
