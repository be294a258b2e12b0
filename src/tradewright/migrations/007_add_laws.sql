-- 007: the laws. Each view returns a row only where a law is broken; laws_checked says how many
-- things each law was held against. They read everything and are meant for checks, not for dashboards.

CREATE VIEW law_money_sums_to_zero AS
SELECT
    h.currency,
    sum(CASE h.kind WHEN 'house' THEN h.moved ELSE h.kept END) AS difference
FROM (
    SELECT
        holders.currency,
        holders.kind,
        coalesce(w.available + w.reserved, a.balance, 0) AS kept,
        coalesce(received.amount, 0) - coalesce(given.amount, 0) AS moved
    FROM ledger_holders AS holders
    LEFT JOIN user_balances AS w ON w.holder_id = holders.id
    LEFT JOIN accounts AS a ON a.id = holders.id
    LEFT JOIN (
        SELECT credit_holder_id, sum(amount) AS amount FROM transfers GROUP BY credit_holder_id
    ) AS received ON received.credit_holder_id = holders.id
    LEFT JOIN (
        SELECT debit_holder_id, sum(amount) AS amount FROM transfers GROUP BY debit_holder_id
    ) AS given ON given.debit_holder_id = holders.id
) AS h
GROUP BY h.currency
HAVING sum(CASE h.kind WHEN 'house' THEN h.moved ELSE h.kept END) <> 0;
COMMENT ON VIEW law_money_sums_to_zero IS 'Per currency, what clients hold and what the house has given and received sum to zero.';

CREATE VIEW holder_balances AS
SELECT holder_id, user_id, currency, available, reserved, version FROM user_balances
UNION ALL
SELECT id, user_id, currency, balance, 0, version FROM accounts;
COMMENT ON VIEW holder_balances IS 'Wallets and trading accounts alike: owner, available, reserved and version.';

CREATE VIEW law_balance_is_last_entry AS
SELECT
    coalesce(b.holder_id, e.holder_id) AS holder_id,
    b.version,
    e.version AS entry_version,
    b.available,
    e.available_after,
    b.reserved,
    e.reserved_after
FROM holder_balances AS b
FULL JOIN (
    SELECT DISTINCT ON (holder_id) holder_id, version, available_after, reserved_after
    FROM balance_ledger
    ORDER BY holder_id, version DESC
) AS e ON e.holder_id = b.holder_id
WHERE (b.version, b.available, b.reserved)
      IS DISTINCT FROM (coalesce(e.version, 0), coalesce(e.available_after, 0), coalesce(e.reserved_after, 0));
COMMENT ON VIEW law_balance_is_last_entry IS 'Each balance equals the holder''s last entry, and no entry is without its balance.';

CREATE VIEW law_balance_is_replay AS
SELECT
    coalesce(b.holder_id, r.holder_id) AS holder_id,
    b.available,
    r.available AS replayed_available,
    b.reserved,
    r.reserved AS replayed_reserved
FROM holder_balances AS b
FULL JOIN (
    SELECT
        holder_id,
        sum(CASE WHEN effect IN ('credit', 'release') THEN amount WHEN effect IN ('debit', 'reserve') THEN -amount ELSE 0 END) AS available,
        sum(CASE WHEN effect = 'reserve' THEN amount WHEN effect IN ('release', 'capture') THEN -amount ELSE 0 END) AS reserved
    FROM balance_ledger
    GROUP BY holder_id
) AS r ON r.holder_id = b.holder_id
WHERE (b.available, b.reserved) IS DISTINCT FROM (coalesce(r.available, 0), coalesce(r.reserved, 0));
COMMENT ON VIEW law_balance_is_replay IS 'Each balance equals the replay of all the holder''s entries from zero.';

CREATE VIEW law_entry_names_its_owner AS
SELECT e.holder_id, e.version, e.user_id, b.user_id AS owner_id, e.currency, b.currency AS holder_currency
FROM balance_ledger AS e
LEFT JOIN holder_balances AS b ON b.holder_id = e.holder_id
WHERE (e.user_id, e.currency) IS DISTINCT FROM (b.user_id, b.currency);
COMMENT ON VIEW law_entry_names_its_owner IS 'Each entry names the user whose wallet or account it changed, and its currency.';

CREATE VIEW law_versions_are_gapless AS
SELECT e.holder_id, e.version, e.previous_version
FROM (
    SELECT
        holder_id,
        version,
        available_before,
        reserved_before,
        created_at,
        lag(version, 1, 0::bigint) OVER holder AS previous_version,
        lag(available_after, 1, 0::numeric) OVER holder AS previous_available,
        lag(reserved_after, 1, 0::numeric) OVER holder AS previous_reserved,
        lag(created_at, 1, '-infinity'::timestamptz) OVER holder AS previous_created_at
    FROM balance_ledger
    WINDOW holder AS (PARTITION BY holder_id ORDER BY version)
) AS e
WHERE e.version <> e.previous_version + 1
   OR e.available_before <> e.previous_available
   OR e.reserved_before <> e.previous_reserved
   OR e.created_at < e.previous_created_at;
COMMENT ON VIEW law_versions_are_gapless IS 'Entries of a holder are numbered 1, 2, 3, ...; each begins where the one before ended, and not earlier.';

CREATE VIEW law_transfer_has_its_entries AS
SELECT t.id AS transfer_id, h.id AS holder_id
FROM transfers AS t
JOIN ledger_holders AS h ON h.id IN (t.debit_holder_id, t.credit_holder_id) AND h.kind <> 'house'
LEFT JOIN balance_ledger AS e
    ON e.transfer_id = t.id
    AND e.holder_id = h.id
    AND e.amount = t.amount
    AND (e.effect = 'credit') = (h.id = t.credit_holder_id)
WHERE e.holder_id IS NULL
UNION ALL
SELECT e.transfer_id, e.holder_id
FROM balance_ledger AS e
JOIN transfers AS t ON t.id = e.transfer_id
WHERE e.holder_id NOT IN (t.debit_holder_id, t.credit_holder_id);
COMMENT ON VIEW law_transfer_has_its_entries IS 'Each transfer has an entry of its amount and direction for each client holder, and no entry of a stranger.';

CREATE VIEW law_reversals_are_within_their_original AS
SELECT o.id AS transfer_id, o.amount, r.amount AS reversed
FROM transfers AS o
JOIN (
    SELECT
        reverses_id,
        sum(amount) AS amount,
        count(DISTINCT (debit_holder_id, credit_holder_id)) AS pair_count,
        min(debit_holder_id::text)::uuid AS debit_holder_id,
        min(credit_holder_id::text)::uuid AS credit_holder_id
    FROM transfers
    WHERE reverses_id IS NOT NULL
    GROUP BY reverses_id
) AS r ON r.reverses_id = o.id
WHERE r.amount > o.amount
   OR o.reverses_id IS NOT NULL
   OR r.pair_count <> 1
   OR (r.debit_holder_id, r.credit_holder_id) <> (o.credit_holder_id, o.debit_holder_id);
COMMENT ON VIEW law_reversals_are_within_their_original IS 'The reversals of a transfer go the other way between the same holders, add up to at most its amount, and are not reversed themselves.';

CREATE VIEW law_wallets_are_not_negative AS
SELECT user_id, currency, available, reserved
FROM user_balances
WHERE available < 0 OR reserved < 0;
COMMENT ON VIEW law_wallets_are_not_negative IS 'Available and reserved money of a wallet are never below zero.';

CREATE VIEW law_reserved_is_open_holds AS
SELECT w.user_id, w.currency, w.reserved, coalesce(h.remaining, 0) AS held
FROM user_balances AS w
LEFT JOIN (
    SELECT holder_id, sum(remaining) AS remaining FROM balance_holds GROUP BY holder_id
) AS h ON h.holder_id = w.holder_id
WHERE w.reserved <> coalesce(h.remaining, 0);
COMMENT ON VIEW law_reserved_is_open_holds IS 'Reserved money is the sum of what remains of the wallet''s holds.';

CREATE VIEW law_hold_is_its_entries AS
SELECT h.id AS hold_id, h.amount, e.reserved, h.remaining, e.remaining AS entries_remaining
FROM balance_holds AS h
LEFT JOIN (
    SELECT
        holder_id,
        hold_id,
        sum(amount) FILTER (WHERE effect = 'reserve') AS reserved,
        sum(CASE effect WHEN 'reserve' THEN amount ELSE -amount END) AS remaining
    FROM balance_ledger
    WHERE hold_id IS NOT NULL
    GROUP BY holder_id, hold_id
) AS e ON e.hold_id = h.id
WHERE (h.holder_id, h.amount, h.remaining) IS DISTINCT FROM (e.holder_id, e.reserved, e.remaining);
COMMENT ON VIEW law_hold_is_its_entries IS 'What remains of each hold is what its entries set aside less what they drew, all of one wallet.';

CREATE VIEW law_wallet_status_is_its_last_change AS
SELECT w.holder_id, w.status, c.to_status, w.available, w.reserved
FROM user_balances AS w
LEFT JOIN (
    SELECT DISTINCT ON (holder_id) holder_id, to_status
    FROM wallet_status_changes
    ORDER BY holder_id, seq DESC
) AS c ON c.holder_id = w.holder_id
WHERE w.status <> coalesce(c.to_status, 'active')
   OR (w.status = 'closed' AND (w.available, w.reserved) <> (0, 0));
COMMENT ON VIEW law_wallet_status_is_its_last_change IS 'Each wallet''s status is that of its last recorded change, and a closed wallet is empty.';

CREATE VIEW law_exchange_is_in_the_ledger AS
SELECT x.transaction_id, x.from_amount, o.amount AS given, x.to_amount, i.amount AS received, x.mid_rate, x.spread
FROM exchanges AS x
JOIN user_balances AS w ON w.holder_id = x.to_holder_id
JOIN currencies AS c ON c.code = w.currency
LEFT JOIN balance_ledger AS o
    ON o.transaction_id = x.transaction_id AND o.operation = 'exchange_out' AND o.effect = 'debit' AND o.holder_id = x.from_holder_id
LEFT JOIN balance_ledger AS i
    ON i.transaction_id = x.transaction_id AND i.operation = 'exchange_in' AND i.effect = 'credit' AND i.holder_id = x.to_holder_id
WHERE (x.from_amount, x.to_amount) IS DISTINCT FROM (o.amount, i.amount)
   OR x.to_amount <> trunc(x.from_amount * x.mid_rate * (1 - x.spread), c.minor_units)
   OR EXISTS (SELECT FROM transfers AS r WHERE r.reverses_id IN (o.transfer_id, i.transfer_id));
COMMENT ON VIEW law_exchange_is_in_the_ledger IS 'Each exchange gave and received what the ledger booked, at its rate less its spread, rounded down, and no leg of it was taken back alone.';

CREATE VIEW law_house_balance_is_its_transfers AS
SELECT b.holder_id, b.received, b.given, t.received AS transfers_received, t.given AS transfers_given
FROM house_balances AS b
LEFT JOIN (
    SELECT s.holder_id, sum(s.received) AS received, sum(s.given) AS given
    FROM transfer_sides AS s
    JOIN house_balances AS r ON r.holder_id = s.holder_id AND s.txid < r.to_txid
    GROUP BY s.holder_id
) AS t ON t.holder_id = b.holder_id
WHERE (b.received, b.given) <> (coalesce(t.received, 0), coalesce(t.given, 0));
COMMENT ON VIEW law_house_balance_is_its_transfers IS 'What is rolled up for each house account is the sum of its transfers up to that point.';

CREATE VIEW law_payment_is_in_the_ledger AS
SELECT * FROM payments_without_their_money;
COMMENT ON VIEW law_payment_is_in_the_ledger IS 'A deposit is credited once it has succeeded, held while it is not confirmed, and taken back when it is reversed; a withdrawal is held while it is open and paid once it has succeeded.';

CREATE VIEW law_claim_is_in_the_ledger AS
SELECT * FROM claims_without_their_money;
COMMENT ON VIEW law_claim_is_in_the_ledger IS 'A refund or dispute holds its amount while it is open, has taken it once it succeeded or was lost, and nothing else.';

CREATE VIEW law_receivables_are_the_house_account AS
SELECT coalesce(r.currency, h.currency) AS currency, r.remaining, h.lent
FROM (
    SELECT currency, sum(remaining) AS remaining FROM receivables GROUP BY currency
) AS r
FULL JOIN (
    SELECT a.currency, sum(CASE a.id WHEN t.debit_holder_id THEN t.amount ELSE -t.amount END) AS lent
    FROM house_accounts AS a
    JOIN transfers AS t ON a.id IN (t.debit_holder_id, t.credit_holder_id)
    WHERE a.code = 'receivables'
    GROUP BY a.currency
) AS h ON h.currency = r.currency
WHERE coalesce(r.remaining, 0) <> coalesce(h.lent, 0);
COMMENT ON VIEW law_receivables_are_the_house_account IS 'Per currency, what clients owe is what the house account of receivables has lent and not got back.';

CREATE VIEW law_every_state_is_announced AS
SELECT s.id AS object_id, s.kind, s.status, o.event_type
FROM (
    SELECT id, kind, status FROM payment_transactions
    UNION ALL
    SELECT id, kind, status FROM payment_claims
) AS s
LEFT JOIN (
    SELECT DISTINCT ON (aggregate_id) aggregate_id, event_type
    FROM outbox_events
    ORDER BY aggregate_id, seq DESC
) AS o ON o.aggregate_id = s.id
WHERE o.event_type IS DISTINCT FROM s.kind || '.' || s.status;
COMMENT ON VIEW law_every_state_is_announced IS 'The last event in the outbox of each payment, refund and dispute tells the state that it is in.';

CREATE VIEW law_settlement_is_in_the_ledger AS
SELECT s.id AS settlement_id, s.net, s.fees, m.net AS moved_net, m.fees AS moved_fees, l.net AS lines_net, l.fees AS lines_fees
FROM payment_settlements AS s
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(CASE WHEN g.code = 'bank' THEN t.amount WHEN r.code = 'bank' THEN -t.amount END), 0) AS net,
        coalesce(sum(t.amount) FILTER (WHERE g.code = 'provider_costs'), 0) AS fees,
        coalesce(bool_and('clearing_' || s.provider IN (g.code, r.code) AND t.currency = s.currency), true) AS is_at_home
    FROM transfers AS t
    JOIN house_accounts AS g ON g.id = t.debit_holder_id
    JOIN house_accounts AS r ON r.id = t.credit_holder_id
    WHERE t.transaction_id = s.id
) AS m
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(CASE WHEN n.kind IN ('deposit', 'return') THEN n.amount ELSE -n.amount END - n.fee), 0) AS net,
        coalesce(sum(n.fee), 0) AS fees,
        count(*) AS line_count,
        coalesce(bool_and(
            (f.provider, n.currency, n.booked_on) = (s.provider, s.currency, s.settled_on)
            AND NOT EXISTS (SELECT FROM provider_statement_withdrawals AS w WHERE w.statement_id = f.id)
        ), true) AS is_of_the_day
    FROM payment_settlement_lines AS x
    JOIN provider_statement_lines AS n ON n.statement_id = x.statement_id AND n.line_number = x.line_number
    JOIN provider_statements AS f ON f.id = n.statement_id
    WHERE x.settlement_id = s.id
) AS l
WHERE NOT (m.is_at_home AND l.is_of_the_day)
   OR (s.net, s.fees) <> (m.net, m.fees)
   OR (s.net, s.fees, s.line_count) <> (l.net, l.fees, l.line_count);
COMMENT ON VIEW law_settlement_is_in_the_ledger IS 'Each settlement comes to what the lines that it has taken say, none of them of a withdrawn statement, and has moved its net between bank and clearing, its fees from the house''s costs, and nothing else.';

CREATE VIEW law_order_is_its_fills AS
SELECT o.id AS order_id, o.status, o.quantity, o.filled_quantity, f.quantity AS fills_quantity, o.average_price, f.value AS fills_value
FROM orders AS o
LEFT JOIN (
    SELECT order_id, sum(quantity) AS quantity, sum(quantity * price) AS value
    FROM order_fills
    GROUP BY order_id
) AS f ON f.order_id = o.id
WHERE o.filled_quantity <> coalesce(f.quantity, 0)
   OR abs(o.average_price * f.quantity - f.value) > f.quantity * 0.000000005
   OR (o.status IN ('canceled', 'rejected', 'expired') AND o.remaining_quantity <> 0)
   OR (o.status NOT IN ('canceled', 'rejected', 'expired') AND o.quantity <> o.filled_quantity + o.remaining_quantity);
COMMENT ON VIEW law_order_is_its_fills IS 'Per order: filled is the sum of its fills, quantity is filled plus remaining, the average price is weighted.';

CREATE VIEW law_order_is_its_events AS
SELECT o.id AS order_id, o.version, e.seq_max, e.seq_count, o.status, e.to_status, e.is_chained
FROM orders AS o
LEFT JOIN (
    SELECT
        order_id,
        max(seq) AS seq_max,
        count(*) AS seq_count,
        (array_agg(to_status ORDER BY seq DESC))[1] AS to_status,
        bool_and(from_status IS NOT DISTINCT FROM previous_status) AS is_chained,
        sum(quantity) AS traded
    FROM (
        SELECT *, lag(to_status) OVER (PARTITION BY order_id ORDER BY seq) AS previous_status
        FROM order_events
    ) AS steps
    GROUP BY order_id
) AS e ON e.order_id = o.id
WHERE (o.version, o.version, o.status, o.filled_quantity)
      IS DISTINCT FROM (e.seq_max, e.seq_count::integer, e.to_status, coalesce(e.traded, 0))
   OR NOT e.is_chained;
COMMENT ON VIEW law_order_is_its_events IS 'Per order: version and state are those of its last event, events are gapless, each begins where the one before ended, traded quantities add up.';

CREATE VIEW law_position_is_its_trades AS
SELECT p.id AS position_id, p.quantity, t.quantity AS trades_quantity, p.realised_pnl, t.realised_pnl AS trades_realised_pnl
FROM positions AS p
LEFT JOIN (
    SELECT position_id, sum(quantity) AS quantity, sum(realised_pnl) AS realised_pnl, count(*) AS trade_count
    FROM trades
    GROUP BY position_id
) AS t ON t.position_id = p.id
WHERE (p.quantity, p.realised_pnl, p.version::bigint) IS DISTINCT FROM (t.quantity, t.realised_pnl, t.trade_count);
COMMENT ON VIEW law_position_is_its_trades IS 'Per position: quantity and result are the sums of its trades.';

CREATE VIEW law_open_positions_fit_their_mode AS
SELECT p.id AS position_id, p.account_id, p.symbol, p.position_mode, g.position_mode AS group_mode, p.quantity, o.id AS other_id
FROM positions AS p
JOIN accounts AS a ON a.id = p.account_id
JOIN account_groups AS g ON g.code = a.group_code
LEFT JOIN LATERAL (
    SELECT q.id
    FROM positions AS q
    WHERE q.account_id = p.account_id AND q.symbol = p.symbol AND q.is_open AND q.id <> p.id
      AND (p.position_mode = 'netting' OR (p.position_mode = 'fifo' AND p.quantity * q.quantity < 0))
    LIMIT 1
) AS o ON p.position_mode <> 'hedging'
WHERE p.is_open AND (p.position_mode <> g.position_mode OR o.id IS NOT NULL);
COMMENT ON VIEW law_open_positions_fit_their_mode IS 'Open positions have the mode of their account''s group: in netting one per symbol, in fifo one side per symbol.';

CREATE VIEW law_opening_rates_are_their_trades AS
SELECT s.position_id, s.position_version, s.rate, s.expected
FROM (
    SELECT
        r.position_id,
        r.position_version,
        r.rate,
        CASE t.effect
            WHEN 'close' THEN lag(r.rate) OVER chain
            ELSE (
                coalesce(lag(r.rate) OVER chain, 0) * abs(t.position_quantity - t.quantity)
                + t.price * t.conversion_rate * CASE t.effect WHEN 'reverse' THEN -abs(t.quantity) ELSE abs(t.quantity) END
            ) / abs(t.position_quantity)
        END AS expected
    FROM opening_rates AS r
    JOIN trades AS t ON t.position_id = r.position_id AND t.position_version = r.position_version
    WINDOW chain AS (PARTITION BY r.position_id ORDER BY r.position_version)
) AS s
WHERE s.expected IS NULL OR abs(s.rate - s.expected) > 0.000000000001
UNION ALL
SELECT p.id, p.version, r.rate, NULL
FROM positions AS p
JOIN accounts AS a ON a.id = p.account_id
JOIN account_groups AS g ON g.code = a.group_code
LEFT JOIN opening_rates AS r ON r.position_id = p.id AND r.position_version = p.version
WHERE p.is_open AND (r.rate IS NOT NULL) <> (g.margin_price = 'open');
COMMENT ON VIEW law_opening_rates_are_their_trades IS 'An opening rate is the mean of the opening trades'' price times conversion rate, without what was reversed of them; an open position has one if its group binds margin at the opening price, and none otherwise.';

CREATE VIEW law_closing_orders_close_their_position AS
SELECT c.order_id, c.position_id, o.symbol, t.id AS trade_id, t.position_id AS traded_position_id
FROM closing_orders AS c
JOIN orders AS o ON o.id = c.order_id
LEFT JOIN positions AS p ON p.id = c.position_id
LEFT JOIN order_fills AS f ON f.order_id = c.order_id
LEFT JOIN trades AS t ON t.fill_id = f.id AND t.effect = 'close'
WHERE p.account_id IS DISTINCT FROM o.account_id
   OR p.symbol IS DISTINCT FROM o.symbol
   OR (p.position_mode <> 'netting' AND t.position_id <> c.position_id);
COMMENT ON VIEW law_closing_orders_close_their_position IS 'An order that names a position is of its account and symbol, and where each fill has its own it closes no other.';

CREATE VIEW law_close_by_is_its_trades AS
SELECT c.id AS close_by_id, c.quantity, c.price, t.quantity AS trades_quantity, t.trade_count
FROM close_bys AS c
LEFT JOIN (
    SELECT
        close_by_id,
        count(*) AS trade_count,
        sum(quantity) AS quantity,
        bool_and(effect = 'close' AND commission = 0) AS is_free,
        min(abs(quantity)) AS smallest,
        max(abs(quantity)) AS largest,
        min(price) AS price_min,
        max(price) AS price_max,
        array_agg(position_id ORDER BY position_id) AS positions
    FROM trades
    WHERE close_by_id IS NOT NULL
    GROUP BY close_by_id
) AS t ON t.close_by_id = c.id
WHERE (t.trade_count, t.quantity, t.is_free) IS DISTINCT FROM (2, 0, true)
   OR (t.smallest, t.largest, t.price_min, t.price_max) <> (c.quantity, c.quantity, c.price, c.price)
   OR t.positions <> ARRAY[least(c.position_id, c.by_position_id), greatest(c.position_id, c.by_position_id)];
COMMENT ON VIEW law_close_by_is_its_trades IS 'Each pairing has closed its quantity of both positions at its price, free of commission: so it changes no sum of positions.';

CREATE VIEW law_amended_levels_stand AS
SELECT p.id AS position_id, p.amended_by, p.stop_loss, p.take_profit, m.id AS amendment, m.stop_loss AS amended_stop_loss, m.take_profit AS amended_take_profit
FROM position_amendments AS m
JOIN positions AS p ON p.id = m.position_id
WHERE p.amended_by IS NULL
   OR p.amended_by < m.id
   OR (
       p.amended_by = m.id
       AND (p.stop_loss, p.take_profit) IS DISTINCT FROM (m.stop_loss, m.take_profit)
       -- A later order of the account has levels of its own, which replace them.
       AND NOT EXISTS (
           SELECT
           FROM orders AS o
           WHERE o.account_id = p.account_id
             AND o.symbol = p.symbol
             AND o.id > m.id
             AND o.filled_quantity > 0
             AND (o.stop_loss IS NOT NULL OR o.take_profit IS NOT NULL)
       )
   )
UNION ALL
SELECT p.id, p.amended_by, p.stop_loss, p.take_profit, NULL, NULL, NULL
FROM positions AS p
LEFT JOIN position_amendments AS m ON m.id = p.amended_by
LEFT JOIN positions AS n ON n.id = m.position_id
WHERE p.amended_by IS NOT NULL
  AND (n.account_id, n.symbol) IS DISTINCT FROM (p.account_id, p.symbol);
COMMENT ON VIEW law_amended_levels_stand IS 'A position has the stop-loss and take-profit of its last amendment, unless a later order has dealt with levels of its own; what it names is an amendment of its account and symbol.';

CREATE VIEW law_trades_are_their_fill AS
SELECT f.id AS fill_id, f.quantity, t.quantity AS trades_quantity
FROM order_fills AS f
JOIN orders AS o ON o.id = f.order_id
LEFT JOIN (
    SELECT
        t.fill_id,
        sum(t.quantity) AS quantity,
        bool_and(p.symbol = o.symbol AND p.account_id = o.account_id AND t.account_id = o.account_id AND t.price = f.price) AS is_at_home
    FROM trades AS t
    JOIN positions AS p ON p.id = t.position_id
    JOIN order_fills AS f ON f.id = t.fill_id
    JOIN orders AS o ON o.id = f.order_id
    WHERE t.effect <> 'reverse'
    GROUP BY t.fill_id
) AS t ON t.fill_id = f.id
WHERE t.quantity IS DISTINCT FROM f.quantity * CASE o.side WHEN 'buy' THEN 1 ELSE -1 END
   OR NOT t.is_at_home;
COMMENT ON VIEW law_trades_are_their_fill IS 'The signed trades of each fill add up to it at its price, in the order''s account and symbol: so in every mode the open quantity is the signed sum of fills, less what was reversed.';

CREATE VIEW law_order_is_dealt_in_its_book AS
SELECT o.id AS order_id, o.book, f.passed_on, d.a_quantity, f.dealt_by_house, d.b_quantity
FROM orders AS o
JOIN (
    SELECT
        order_id,
        coalesce(sum(quantity) FILTER (WHERE provider_execution_id IS NOT NULL), 0) AS passed_on,
        coalesce(sum(quantity) FILTER (WHERE provider_execution_id IS NULL), 0) AS dealt_by_house
    FROM order_fills
    GROUP BY order_id
) AS f ON f.order_id = o.id
LEFT JOIN (
    SELECT order_id, sum(a_quantity) AS a_quantity, sum(b_quantity) AS b_quantity
    FROM routing_decisions
    GROUP BY order_id
) AS d ON d.order_id = o.id
WHERE (o.book <> 'hybrid' AND d.order_id IS NOT NULL)
   OR CASE o.book
       WHEN 'A' THEN f.dealt_by_house > 0
       WHEN 'B' THEN f.passed_on > 0
       ELSE d.order_id IS NULL OR f.passed_on > d.a_quantity OR f.dealt_by_house > d.b_quantity
   END;
COMMENT ON VIEW law_order_is_dealt_in_its_book IS 'What is passed on was dealt by providers, what is kept by the house; of a hybrid order each got no more than was decided for it.';

CREATE VIEW law_exposure_is_its_fills AS
SELECT e.symbol, e.net, f.net AS fills_net, e.hedged_quantity, e.unsolicited_quantity
FROM house_exposures AS e
LEFT JOIN (
    SELECT o.symbol, -sum(CASE o.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END) AS net
    FROM order_fills AS f
    JOIN orders AS o ON o.id = f.order_id
    WHERE f.provider_execution_id IS NULL
    GROUP BY o.symbol
) AS f ON f.symbol = e.symbol
LEFT JOIN (
    SELECT o.symbol, -sum(CASE o.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END + t.quantity) AS net
    FROM trade_reversals AS r
    JOIN trades AS t ON t.id = r.reversing_id
    JOIN order_fills AS f ON f.id = t.fill_id
    JOIN orders AS o ON o.id = f.order_id
    GROUP BY o.symbol
) AS b ON b.symbol = e.symbol
WHERE e.net <> coalesce(f.net, 0) + coalesce(b.net, 0) + e.hedged_quantity + e.unsolicited_quantity;
COMMENT ON VIEW law_exposure_is_its_fills IS 'Per symbol: the house''s exposure, read from what clients hold and what was passed on, is the other side of what it dealt itself and of what it could not reverse of busted fills, with its hedges and what was set aside.';

CREATE VIEW law_exposure_is_kept AS
SELECT e.symbol, e.net, k.net AS kept_net
FROM house_exposures AS e
JOIN kept_exposures AS k ON k.symbol = e.symbol
WHERE e.net <> k.net;
COMMENT ON VIEW law_exposure_is_kept IS 'Per symbol: the exposure that is kept for the engine is what everything there is adds up to.';

CREATE VIEW law_hedge_is_its_fills AS
SELECT h.id AS hedge_id, h.filled_quantity, f.quantity AS fills_quantity, f.is_at_home
FROM hedges AS h
LEFT JOIN (
    SELECT f.hedge_id, sum(f.quantity) AS quantity, bool_and(f.symbol = h.symbol) AS is_at_home
    FROM hedge_fills AS f
    JOIN hedges AS h ON h.id = f.hedge_id
    GROUP BY f.hedge_id
) AS f ON f.hedge_id = h.id
WHERE h.filled_quantity <> coalesce(f.quantity, 0) * CASE h.side WHEN 'buy' THEN 1 ELSE -1 END
   OR NOT f.is_at_home;
COMMENT ON VIEW law_hedge_is_its_fills IS 'What is filled of each hedge is the sum of its fills, in its symbol and on its side.';

CREATE VIEW law_hedge_fills_follow_each_other AS
SELECT f.symbol, f.seq, f.previous_seq, f.position_quantity, f.previous_quantity, f.quantity
FROM (
    SELECT
        *,
        lag(seq, 1, 0) OVER chain AS previous_seq,
        lag(position_quantity, 1, 0::numeric) OVER chain AS previous_quantity
    FROM hedge_fills
    WINDOW chain AS (PARTITION BY symbol ORDER BY seq)
) AS f
WHERE f.seq <> f.previous_seq + 1
   OR f.position_quantity <> f.previous_quantity + f.quantity;
COMMENT ON VIEW law_hedge_fills_follow_each_other IS 'The fills of hedges are numbered 1, 2, 3, ... by symbol, and each leaves the position that the one before left, with its own quantity.';

CREATE VIEW law_hedge_is_in_the_ledger AS
SELECT coalesce(f.id, m.transaction_id) AS fill_id, f.realised_pnl, m.booked
FROM hedge_fills AS f
FULL JOIN (
    SELECT
        t.transaction_id,
        sum(CASE t.credit_holder_id WHEN d.id THEN t.amount ELSE -t.amount END) AS booked,
        bool_and(l.id IN (t.debit_holder_id, t.credit_holder_id)) AS is_at_home
    FROM transfers AS t
    JOIN house_accounts AS d ON d.code = 'dealing' AND d.id IN (t.debit_holder_id, t.credit_holder_id)
    LEFT JOIN house_accounts AS l ON l.code = 'liquidity' AND l.currency = d.currency
    WHERE t.operation = 'hedge_pnl'
    GROUP BY t.transaction_id
) AS m ON m.transaction_id = f.id
WHERE f.id IS NULL
   OR f.realised_pnl <> coalesce(m.booked, 0)
   OR NOT coalesce(m.is_at_home, true);
COMMENT ON VIEW law_hedge_is_in_the_ledger IS 'The result of each fill of a hedge moved between the house''s accounts for liquidity and for dealing, and nothing else did.';

CREATE VIEW law_hedge_result_is_its_prices AS
SELECT f.id AS fill_id, f.price, f.realised_pnl, x.exact, f.position_average_price, f.average
FROM (
    SELECT
        *,
        lag(position_quantity, 1, 0::numeric) OVER chain AS held,
        lag(position_average_price) OVER chain AS average
    FROM hedge_fills
    WINDOW chain AS (PARTITION BY symbol ORDER BY seq)
) AS f
JOIN instruments AS i ON i.symbol = f.symbol
JOIN currencies AS c ON c.code = i.quote_currency
CROSS JOIN LATERAL (
    SELECT CASE WHEN f.held * f.quantity < 0 THEN least(abs(f.held), abs(f.quantity)) * sign(f.quantity) ELSE 0 END AS closes
) AS s
CROSS JOIN LATERAL (
    SELECT
        coalesce((f.average - f.price) * s.closes, 0) AS exact,
        f.quantity - s.closes AS opens,
        f.held + s.closes AS kept
) AS x
WHERE f.realised_pnl <> round(f.realised_pnl, c.minor_units)
   OR abs(f.realised_pnl - x.exact) * 2 > 10::numeric ^ -c.minor_units
   OR CASE
       WHEN x.opens = 0 THEN f.position_average_price <> f.average
       WHEN x.kept = 0 THEN f.position_average_price <> f.price
       ELSE abs((x.kept * f.average + x.opens * f.price) / (x.kept + x.opens) - f.position_average_price) > 0.00000001
   END;
COMMENT ON VIEW law_hedge_result_is_its_prices IS 'What each fill of a hedge has realised, and the average price that it leaves, follow from its own price and the average before it.';

CREATE VIEW law_trade_is_in_the_ledger AS
SELECT t.id AS trade_id, t.realised_pnl, pnl.booked AS ledger_pnl, t.commission, fee.amount AS ledger_commission
FROM trades AS t
LEFT JOIN order_fills AS f ON f.id = t.fill_id
LEFT JOIN orders AS o ON o.id = f.order_id
LEFT JOIN LATERAL (
    SELECT sum(CASE e.effect WHEN 'credit' THEN e.amount ELSE -e.amount END) AS booked
    FROM balance_ledger AS e
    WHERE e.transaction_id = t.id AND e.operation = 'realised_pnl' AND e.holder_id = t.account_id
) AS pnl ON true
LEFT JOIN balance_ledger AS fee
    ON fee.transaction_id = t.id AND fee.operation = 'commission' AND fee.effect = 'debit' AND fee.holder_id = t.account_id
WHERE (o.id IS NULL AND t.close_by_id IS NULL)
   OR t.realised_pnl <> coalesce(pnl.booked, 0)
   OR t.commission <> coalesce(fee.amount, 0);
COMMENT ON VIEW law_trade_is_in_the_ledger IS 'No trade without order and fill, or a pairing of positions; its result and commission are what the ledger booked.';

CREATE VIEW law_commission_is_of_a_trade AS
SELECT e.transaction_id, e.holder_id, e.amount
FROM balance_ledger AS e
LEFT JOIN trades AS t ON t.id = e.transaction_id AND t.account_id = e.holder_id
WHERE e.operation = 'commission' AND t.id IS NULL;
COMMENT ON VIEW law_commission_is_of_a_trade IS 'No commission is booked but for a trade of the account that pays it.';

CREATE VIEW law_house_movement_has_its_cause AS
SELECT m.id AS transfer_id, m.transaction_id, m.operation, m.amount
FROM transfers AS m
JOIN house_accounts AS g ON g.id = m.debit_holder_id
JOIN house_accounts AS r ON r.id = m.credit_holder_id
WHERE m.reverses_id IS NULL
  AND NOT EXISTS (SELECT FROM hedge_fills AS f WHERE f.id = m.transaction_id AND m.operation = 'hedge_pnl')
  AND NOT EXISTS (SELECT FROM payment_settlements AS s WHERE s.id = m.transaction_id)
  AND NOT EXISTS (SELECT FROM suspense_items AS i WHERE i.transfer_id = m.id)
  AND NOT EXISTS (SELECT FROM suspense_returns AS b WHERE m.id IN (b.transfer_id, b.reversal_id));
COMMENT ON VIEW law_house_movement_has_its_cause IS 'Between accounts of the house money moves for a fill of a hedge, for a settlement, into suspense and out of it, or to take one back.';

CREATE VIEW law_result_is_its_prices AS
SELECT t.id AS trade_id, t.realised_pnl, r.exact
FROM trades AS t
JOIN accounts AS a ON a.id = t.account_id
JOIN currencies AS c ON c.code = a.currency
LEFT JOIN trades AS b ON b.position_id = t.position_id AND b.position_version = t.position_version - 1
CROSS JOIN LATERAL (
    SELECT (b.position_average_price - t.price) * t.quantity * t.conversion_rate AS exact
) AS r
WHERE t.effect = 'close'
  AND (r.exact IS NULL
   OR t.realised_pnl <> round(t.realised_pnl, c.minor_units)
   OR abs(t.realised_pnl - r.exact) * 2 > 10::numeric ^ -c.minor_units);
COMMENT ON VIEW law_result_is_its_prices IS 'What a trade that closes has realised is the average price before it less its own, times its signed quantity and its rate, rounded to the nearest minor unit.';

-- Trades and money of a batch are written in this order under the account's lock. What the same batch
-- has opened afterwards was not open then: the ids of one batch rise in the order of its decisions.
CREATE VIEW law_forgiven_when_nothing_is_open AS
SELECT e.holder_id AS account_id, e.transaction_id, e.amount, p.id AS position_id, t.position_quantity
FROM balance_ledger AS e
JOIN positions AS p ON p.account_id = e.holder_id
JOIN trades AS b ON b.position_id = p.id AND b.position_version = 1
CROSS JOIN LATERAL (
    SELECT t.position_quantity
    FROM trades AS t
    WHERE t.position_id = p.id AND t.executed_at <= e.created_at
    ORDER BY t.position_version DESC
    LIMIT 1
) AS t
WHERE e.operation = 'nbp_adjustment'
  AND b.id < e.transaction_id
  AND t.position_quantity <> 0;
COMMENT ON VIEW law_forgiven_when_nothing_is_open IS 'A negative balance is forgiven only while no position of its account is open (ESMA 2018/796).';

CREATE VIEW law_adjustment_is_in_the_ledger AS
SELECT coalesce(j.id, e.transaction_id) AS adjustment_id, j.trade_id, j.amount, r.exact, e.booked
FROM trade_adjustments AS j
JOIN trades AS t ON t.id = j.trade_id
JOIN accounts AS a ON a.id = t.account_id
JOIN currencies AS c ON c.code = a.currency
LEFT JOIN trade_adjustments AS b
    ON b.trade_id = j.trade_id AND b.correction_id <> j.correction_id AND b.price = j.price_before AND b.booked_at < j.booked_at
CROSS JOIN LATERAL (
    SELECT (j.price_before - j.price) * t.quantity * t.conversion_rate AS exact, b.trade_id IS NOT NULL OR j.price_before = t.price AS is_chained
) AS r
FULL JOIN (
    SELECT transaction_id, holder_id, CASE effect WHEN 'credit' THEN amount ELSE -amount END AS booked
    FROM balance_ledger
    WHERE operation = 'price_adjustment'
) AS e ON e.transaction_id = j.id AND e.holder_id = t.account_id
WHERE j.id IS NULL
   OR j.amount <> coalesce(e.booked, 0)
   OR j.amount <> round(j.amount, c.minor_units)
   OR abs(j.amount - r.exact) * 2 > 10::numeric ^ -c.minor_units
   OR NOT r.is_chained;
COMMENT ON VIEW law_adjustment_is_in_the_ledger IS 'What an account was given or charged for the corrected price of a trade is the difference of the prices, and what the ledger booked; and nothing is adjusted without its trade.';

-- The ledger's word for what a reversing trade gives back.
CREATE VIEW reversal_entries AS
SELECT
    transaction_id,
    holder_id,
    sum(CASE effect WHEN 'credit' THEN amount ELSE -amount END) FILTER (WHERE operation = 'commission_return') AS commission,
    sum(CASE effect WHEN 'credit' THEN amount ELSE -amount END) FILTER (WHERE operation = 'adjustment_return') AS adjustment
FROM balance_ledger
WHERE operation IN ('commission_return', 'adjustment_return')
GROUP BY transaction_id, holder_id;
COMMENT ON VIEW reversal_entries IS 'What accounts were given back with trades that reverse busted fills: commission, and adjustments to a corrected price.';

CREATE VIEW law_reversal_is_of_its_trade AS
SELECT n.id AS reversing_id, n.trade_id, n.quantity, n.opened, n.price, n.opening_price, n.average_price, n.average_before
FROM (
    SELECT
        n.id,
        r.trade_id,
        n.quantity,
        t.quantity AS opened,
        n.price,
        t.price AS opening_price,
        n.position_average_price AS average_price,
        b.position_average_price AS average_before,
        t.effect = 'open'
        AND (n.position_id, n.account_id, n.fill_id, n.price, n.conversion_rate) = (t.position_id, t.account_id, t.fill_id, t.price, t.conversion_rate)
        AND (n.effect, n.realised_pnl, n.commission) = ('reverse', 0, 0)
        AND n.position_version > t.position_version
        AND n.quantity * t.quantity < 0
        AND abs(n.quantity) <= abs(t.quantity)
        AND n.position_quantity * b.position_quantity >= 0
        AND CASE n.position_quantity
            WHEN 0 THEN n.position_average_price = b.position_average_price
            ELSE abs(
                n.position_average_price * n.position_quantity
                - b.position_average_price * b.position_quantity - n.price * n.quantity
            ) <= abs(n.position_quantity) * 0.00000001
        END AS is_its_trade,
        s.settlement = 'reversed' AND c.kind = 'bust' AND c.provider_id = f.provider_id
        AND first_execution(c.provider_id, c.refers_to) = f.provider_execution_id AS is_of_a_bust
    FROM trades AS n
    LEFT JOIN trade_reversals AS r ON r.reversing_id = n.id
    LEFT JOIN trades AS t ON t.id = r.trade_id
    LEFT JOIN trades AS b ON b.position_id = n.position_id AND b.position_version = n.position_version - 1
    LEFT JOIN order_fills AS f ON f.id = n.fill_id
    LEFT JOIN provider_correction_settlements AS s ON s.correction_id = r.correction_id
    LEFT JOIN provider_corrections AS c ON c.id = r.correction_id
    WHERE n.effect = 'reverse' OR r.trade_id IS NOT NULL
) AS n
WHERE (n.is_its_trade AND n.is_of_a_bust) IS NOT TRUE;
COMMENT ON VIEW law_reversal_is_of_its_trade IS 'Each trade that reverses takes back a part of what a busted fill has opened, at its price and without a result, and leaves the position the value that it has without it.';

CREATE VIEW law_reversal_is_in_the_ledger AS
SELECT coalesce(r.reversing_id, e.transaction_id) AS reversing_id, r.commission, e.commission AS ledger_commission, r.adjustment, e.adjustment AS ledger_adjustment
FROM (
    SELECT
        r.reversing_id,
        t.account_id,
        r.commission,
        r.adjustment,
        t.commission * abs(n.quantity / t.quantity) AS exact_commission,
        -(SELECT coalesce(sum(j.amount), 0) FROM trade_adjustments AS j WHERE j.trade_id = t.id) * abs(n.quantity / t.quantity) AS exact_adjustment,
        0.5 * 10::numeric ^ -c.minor_units + 0.00000001 AS rounding
    FROM trade_reversals AS r
    JOIN trades AS n ON n.id = r.reversing_id
    JOIN trades AS t ON t.id = r.trade_id
    JOIN accounts AS a ON a.id = t.account_id
    JOIN currencies AS c ON c.code = a.currency
) AS r
FULL JOIN reversal_entries AS e ON e.transaction_id = r.reversing_id AND e.holder_id = r.account_id
WHERE r.reversing_id IS NULL
   OR (r.commission, r.adjustment) <> (coalesce(e.commission, 0), coalesce(e.adjustment, 0))
   OR abs(r.commission - r.exact_commission) > r.rounding
   OR abs(r.adjustment - r.exact_adjustment) > r.rounding;
COMMENT ON VIEW law_reversal_is_in_the_ledger IS 'What is given back of commission and adjustments with a reversed trade is in proportion to it, and what the ledger booked; and nothing is given back without one.';

CREATE VIEW law_rollover_is_in_the_ledger AS
SELECT coalesce(r.id, e.transaction_id) AS rollover_id, r.position_id, r.rollover_on, r.amount, e.booked
FROM (
    SELECT r.id, r.position_id, r.rollover_on, r.amount, r.operation, p.account_id
    FROM position_rollovers AS r
    JOIN positions AS p ON p.id = r.position_id
) AS r
FULL JOIN (
    SELECT transaction_id, holder_id, operation, CASE effect WHEN 'credit' THEN amount ELSE -amount END AS booked
    FROM balance_ledger
    WHERE operation IN ('swap', 'swap_free_fee')
) AS e ON e.transaction_id = r.id AND e.holder_id = r.account_id AND e.operation = r.operation
WHERE r.id IS NULL OR r.amount <> coalesce(e.booked, 0);
COMMENT ON VIEW law_rollover_is_in_the_ledger IS 'What each position paid or earned over a rollover is what the ledger booked for its account, as swap or as fee, and neither is booked without its row.';

-- From one value date to the next (trading/swaps.py says the same in Python): the value date is so many days
-- of settlement ahead, and Saturdays, Sundays and holidays of either currency are none.
CREATE FUNCTION settles_on(p_traded_on date, p_settlement_days integer, p_holidays date[]) RETURNS date
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_day date := p_traded_on;
    v_left integer := p_settlement_days;
BEGIN
    WHILE v_left > 0 OR extract(isodow FROM v_day) > 5 OR v_day = ANY(p_holidays) LOOP
        v_day := v_day + 1;
        IF v_left > 0 AND extract(isodow FROM v_day) <= 5 AND v_day <> ALL(p_holidays) THEN
            v_left := v_left - 1;
        END IF;
    END LOOP;
    RETURN v_day;
END;
$$;
COMMENT ON FUNCTION settles_on(date, integer, date[]) IS 'The day on which a deal of a trading day settles.';

CREATE FUNCTION rollover_days(p_on date, p_settlement_days integer, p_holidays date[]) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE
    v_after date := p_on + CASE extract(isodow FROM p_on) WHEN 5 THEN 3 ELSE 1 END;
BEGIN
    IF extract(isodow FROM p_on) > 5 THEN
        RETURN 0;
    END IF;
    RETURN settles_on(v_after, p_settlement_days, p_holidays) - settles_on(p_on, p_settlement_days, p_holidays);
END;
$$;
COMMENT ON FUNCTION rollover_days(date, integer, date[]) IS 'For how many days the rollover of a day pays: from one value date to the next.';

-- Terms and holidays that were said later do not count: they were not known when it was booked. What is
-- given back with a reversed trade was booked by those of then.
CREATE VIEW law_rollover_days_are_of_the_calendar AS
SELECT r.symbol, r.rollover_on, r.days, d.days AS calendar_days, r.row_count
FROM (
    SELECT p.symbol, r.rollover_on, r.days, max(r.booked_at) AS booked_at, count(*) AS row_count
    FROM position_rollovers AS r
    JOIN positions AS p ON p.id = r.position_id
    WHERE NOT EXISTS (SELECT FROM trade_reversals AS v WHERE v.reversing_id = r.trade_id)
    GROUP BY p.symbol, r.rollover_on, r.days
) AS r
JOIN instruments AS i ON i.symbol = r.symbol
LEFT JOIN LATERAL (
    SELECT s.settlement_days, s.is_daily
    FROM swap_terms AS s
    WHERE s.symbol = r.symbol AND s.effective_on <= r.rollover_on AND s.created_at < r.booked_at
    ORDER BY s.effective_on DESC
    LIMIT 1
) AS t ON true
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN t.settlement_days IS NULL THEN NULL
        WHEN t.is_daily THEN 1
        ELSE rollover_days(r.rollover_on, t.settlement_days, ARRAY(
            SELECT h.holiday_on
            FROM rollover_holidays AS h
            WHERE h.currency IN (i.base_currency, i.quote_currency) AND h.created_at < r.booked_at
        ))
    END AS days
) AS d
WHERE r.days IS DISTINCT FROM d.days;
COMMENT ON VIEW law_rollover_days_are_of_the_calendar IS 'Each rollover paid for the days between the value dates, by the terms and holidays that were known when it was booked.';

CREATE FUNCTION end_of_trading_day(p_on date) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT (p_on + time '17:00') AT TIME ZONE 'America/New_York';
$$;
COMMENT ON FUNCTION end_of_trading_day(date) IS '17:00 in New York of a day.';

-- Held to it are the days with rows, those over which a position was changed later, and those before which
-- a provider had dealt what was told later; what is open and waits for a price is not broken. What was booked
-- before the day had ended was open, and what a provider has dealt before; what was reversed was not.
CREATE VIEW law_rollover_is_of_what_was_open AS
SELECT c.position_id, c.rollover_on, held.quantity AS held, booked.quantity AS booked
FROM (
    SELECT r.position_id, r.rollover_on
    FROM position_rollovers AS r
    UNION
    SELECT t.position_id, d.ended_on
    FROM trades AS t
    JOIN trades AS n ON n.position_id = t.position_id AND n.position_version = t.position_version + 1
    CROSS JOIN LATERAL (
        SELECT d.ended_on FROM trading_days AS d WHERE d.ended_at > t.executed_at AND d.ended_at <= n.executed_at
    ) AS d
    UNION
    SELECT t.position_id, d.ended_on
    FROM order_fills AS f
    JOIN trades AS t ON t.fill_id = f.id
    CROSS JOIN LATERAL (
        SELECT d.ended_on
        FROM trading_days AS d
        WHERE d.ended_at <= t.executed_at
        ORDER BY d.ended_at DESC
        LIMIT 1
    ) AS d
    WHERE f.provider_execution_id IS NOT NULL AND f.quoted_at < end_of_trading_day(d.ended_on)
) AS c
JOIN positions AS p ON p.id = c.position_id
JOIN instruments AS i ON i.symbol = p.symbol
JOIN trading_days AS d ON d.ended_on = c.rollover_on
CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.quantity), 0) AS quantity
    FROM trades AS t
    LEFT JOIN order_fills AS f ON f.id = t.fill_id AND f.provider_execution_id IS NOT NULL
    LEFT JOIN trade_reversals AS v ON v.reversing_id = t.id
    LEFT JOIN trades AS o ON o.id = v.trade_id
    WHERE t.position_id = c.position_id
      AND (coalesce(o.executed_at, t.executed_at) < d.ended_at OR f.quoted_at < end_of_trading_day(c.rollover_on))
) AS held
CROSS JOIN LATERAL (
    SELECT coalesce(sum(r.quantity), 0) AS quantity, count(*) AS row_count
    FROM position_rollovers AS r
    WHERE r.position_id = c.position_id AND r.rollover_on = c.rollover_on
) AS booked
LEFT JOIN LATERAL (
    SELECT s.settlement_days, s.is_daily
    FROM swap_terms AS s
    WHERE s.symbol = p.symbol AND s.effective_on <= c.rollover_on AND s.created_at < d.ended_at
    ORDER BY s.effective_on DESC
    LIMIT 1
) AS terms ON true
WHERE held.quantity <> booked.quantity
  AND (
    booked.row_count > 0
    OR terms.is_daily
    OR (
        terms.settlement_days IS NOT NULL
        AND rollover_days(c.rollover_on, terms.settlement_days, ARRAY(
            SELECT h.holiday_on FROM rollover_holidays AS h WHERE h.currency IN (i.base_currency, i.quote_currency)
        )) > 0
    )
  );
COMMENT ON VIEW law_rollover_is_of_what_was_open IS 'Each position has paid or earned swap for what was open of it at 17:00 in New York, however late that was booked or a provider told of it, and none for what was reversed of it.';

-- Terms that were said later do not count; what is given back with a reversed trade was booked by those of then.
CREATE VIEW law_swap_free_days_cost_only_their_fee AS
SELECT r.id AS rollover_id, r.position_id, r.rollover_on, r.operation, r.amount, c.group_code, s.is_free
FROM position_rollovers AS r
JOIN positions AS p ON p.id = r.position_id
JOIN accounts AS a ON a.id = p.account_id
CROSS JOIN LATERAL (
    SELECT coalesce(
        (
            SELECT b.group_code
            FROM past_account_groups AS b
            WHERE b.account_id = a.id AND b.through_on >= r.rollover_on
            ORDER BY b.through_on
            LIMIT 1
        ),
        a.group_code
    ) AS group_code
) AS c
JOIN account_groups AS g ON g.code = c.group_code
CROSS JOIN LATERAL (
    SELECT coalesce(
        (
            SELECT f.is_swap_free
            FROM past_swap_freedoms AS f
            WHERE f.group_code = c.group_code AND f.through_on >= r.rollover_on
            ORDER BY f.through_on
            LIMIT 1
        ),
        g.is_swap_free
    ) AS is_free
) AS s
JOIN trades AS o ON o.position_id = r.position_id AND o.position_version = 1
LEFT JOIN order_fills AS d ON d.id = o.fill_id AND d.provider_execution_id IS NOT NULL
CROSS JOIN LATERAL (
    SELECT least(
        (SELECT min(n.ended_on) FROM trading_days AS n WHERE n.ended_at > o.executed_at),
        ((d.quoted_at AT TIME ZONE 'America/New_York') + interval '7 hours')::date
    ) AS first_on
) AS night
LEFT JOIN LATERAL (
    SELECT t.swap_free_fee, t.grace_nights
    FROM swap_terms AS t
    WHERE t.symbol = p.symbol AND t.effective_on <= r.rollover_on AND t.created_at < r.booked_at
    ORDER BY t.effective_on DESC
    LIMIT 1
) AS terms ON true
WHERE s.is_free <> (r.operation = 'swap_free_fee')
   OR (
       s.is_free
       AND r.amount <> 0
       AND (
           terms.swap_free_fee IS NULL
           OR terms.swap_free_fee = 0
           OR greatest(0, r.rollover_on - night.first_on) < terms.grace_nights
       )
       AND NOT EXISTS (SELECT FROM trade_reversals AS v WHERE v.reversing_id = r.trade_id)
   );
COMMENT ON VIEW law_swap_free_days_cost_only_their_fee IS 'For a day at whose end its account was in a swap-free group a position has paid no swap, and a fee only by the instrument''s terms and after the free nights; for other days it has paid no fee.';

CREATE VIEW law_makers_are_post_only AS
SELECT f.id AS fill_id, f.order_id, f.is_maker, o.is_post_only
FROM order_fills AS f
JOIN orders AS o ON o.id = f.order_id
WHERE f.is_maker <> o.is_post_only;
COMMENT ON VIEW law_makers_are_post_only IS 'The fills of post-only orders are those of makers, and no others are.';

CREATE VIEW law_client_profile_is_its_measures AS
SELECT p.user_id, k.kind, k.counted, m.kept, m.first_number, m.last_number
FROM client_profiles AS p
CROSS JOIN LATERAL (
    VALUES ('fill', p.trade_count), ('closing', p.closing_count), ('arrival', p.arrival_count)
) AS k (kind, counted)
CROSS JOIN LATERAL (
    SELECT count(*) AS kept, min(o.number) AS first_number, max(o.number) AS last_number
    FROM client_measures AS o
    WHERE o.user_id = p.user_id AND o.kind = k.kind
) AS m
WHERE m.kept > 0
  AND (m.last_number <> k.counted OR m.kept <> m.last_number - m.first_number + 1);
COMMENT ON VIEW law_client_profile_is_its_measures IS 'What was measured of a client is kept without gaps, from where it was pruned up to what its profile counts.';

CREATE VIEW law_markout_is_its_middle AS
SELECT m.user_id, m.fill_id, h.seconds, h.mid, h.markout
FROM client_measures AS m
JOIN order_fills AS f ON f.id = m.fill_id
JOIN orders AS o ON o.id = f.order_id
JOIN accounts AS a ON a.id = o.account_id
CROSS JOIN LATERAL (
    VALUES (1, m.mid_1s, m.markout_1s_bps), (10, m.mid_10s, m.markout_10s_bps), (60, m.mid_60s, m.markout_60s_bps)
) AS h (seconds, mid, markout)
WHERE a.user_id <> m.user_id
   OR abs(
       h.markout - greatest(-1000, least(1000,
           CASE o.side WHEN 'buy' THEN 1 ELSE -1 END * (h.mid - f.price) / f.price * 10000
       ))
   ) > 0.00005;
COMMENT ON VIEW law_markout_is_its_middle IS 'Each markout is the gain of its client''s fill against the middle that is kept with it.';

CREATE VIEW law_retail_clients_are_lent_nothing AS
SELECT a.id AS account_id, a.user_id, a.credit
FROM accounts AS a
JOIN users AS u ON u.id = a.user_id
WHERE a.credit <> 0 AND u.client_class = 'retail';
COMMENT ON VIEW law_retail_clients_are_lent_nothing IS 'No account of a retail client has a credit.';

CREATE VIEW law_realised_pnl_is_the_ledger AS
SELECT coalesce(t.account_id, e.holder_id) AS account_id, t.realised_pnl, e.booked
FROM (
    SELECT account_id, sum(realised_pnl) AS realised_pnl FROM trades GROUP BY account_id
) AS t
FULL JOIN (
    SELECT holder_id, sum(CASE effect WHEN 'credit' THEN amount ELSE -amount END) AS booked
    FROM balance_ledger
    WHERE operation = 'realised_pnl'
    GROUP BY holder_id
) AS e ON e.holder_id = t.account_id
WHERE coalesce(t.realised_pnl, 0) <> coalesce(e.booked, 0);
COMMENT ON VIEW law_realised_pnl_is_the_ledger IS 'Per account: the results of its trades equal what the ledger booked for it.';

-- The foreign keys that are declared but not enforced (001 says why) are held here as a whole.
CREATE VIEW law_references_hold AS
SELECT 'orders_account_exists' AS reference, s.id AS row_id
FROM orders AS s
LEFT JOIN accounts AS t ON t.id = s.account_id
WHERE t.id IS NULL
UNION ALL
SELECT 'orders_instrument_exists', s.id
FROM orders AS s
LEFT JOIN instruments AS t ON t.symbol = s.symbol
WHERE t.symbol IS NULL
UNION ALL
SELECT 'order_fills_order_exists', s.id
FROM order_fills AS s
LEFT JOIN orders AS t ON t.id = s.order_id
WHERE t.id IS NULL
UNION ALL
SELECT 'order_fills_provider_exists', s.id
FROM order_fills AS s
LEFT JOIN liquidity_providers AS t ON t.id = s.provider_id
WHERE t.id IS NULL
UNION ALL
SELECT 'positions_account_exists', s.id
FROM positions AS s
LEFT JOIN accounts AS t ON t.id = s.account_id
WHERE t.id IS NULL
UNION ALL
SELECT 'positions_instrument_exists', s.id
FROM positions AS s
LEFT JOIN instruments AS t ON t.symbol = s.symbol
WHERE t.symbol IS NULL
UNION ALL
SELECT 'trades_account_exists', s.id
FROM trades AS s
LEFT JOIN accounts AS t ON t.id = s.account_id
WHERE t.id IS NULL
UNION ALL
SELECT 'trades_position_exists', s.id
FROM trades AS s
LEFT JOIN positions AS t ON t.id = s.position_id
WHERE t.id IS NULL
UNION ALL
SELECT 'order_events_order_exists', s.order_id
FROM order_events AS s
LEFT JOIN orders AS t ON t.id = s.order_id
WHERE t.id IS NULL
UNION ALL
SELECT 'trades_fill_exists', s.id
FROM trades AS s
LEFT JOIN order_fills AS t ON t.id = s.fill_id
WHERE t.id IS NULL AND s.fill_id IS NOT NULL
UNION ALL
SELECT 'trades_close_by_exists', s.id
FROM trades AS s
LEFT JOIN close_bys AS t ON t.id = s.close_by_id
WHERE t.id IS NULL AND s.close_by_id IS NOT NULL
UNION ALL
SELECT 'transfers_debit_holder_exists', s.id
FROM transfers AS s
LEFT JOIN ledger_holders AS t ON t.id = s.debit_holder_id AND t.currency = s.currency
WHERE t.id IS NULL
UNION ALL
SELECT 'transfers_credit_holder_exists', s.id
FROM transfers AS s
LEFT JOIN ledger_holders AS t ON t.id = s.credit_holder_id AND t.currency = s.currency
WHERE t.id IS NULL
UNION ALL
SELECT 'transfers_reversed_exists', s.id
FROM transfers AS s
LEFT JOIN transfers AS t ON t.id = s.reverses_id
WHERE t.id IS NULL AND s.reverses_id IS NOT NULL
UNION ALL
SELECT 'balance_ledger_holder_exists', s.holder_id
FROM balance_ledger AS s
LEFT JOIN ledger_holders AS t ON t.id = s.holder_id AND t.currency = s.currency
WHERE t.id IS NULL
UNION ALL
SELECT 'balance_ledger_user_exists', s.holder_id
FROM balance_ledger AS s
LEFT JOIN users AS t ON t.id = s.user_id
WHERE t.id IS NULL
UNION ALL
SELECT 'balance_ledger_transfer_exists', s.holder_id
FROM balance_ledger AS s
LEFT JOIN transfers AS t ON t.id = s.transfer_id
WHERE t.id IS NULL AND s.transfer_id IS NOT NULL
UNION ALL
SELECT 'balance_ledger_hold_exists', s.holder_id
FROM balance_ledger AS s
LEFT JOIN balance_holds AS t ON t.id = s.hold_id
WHERE t.id IS NULL AND s.hold_id IS NOT NULL
UNION ALL
SELECT 'balance_holds_wallet_exists', s.id
FROM balance_holds AS s
LEFT JOIN user_balances AS t ON t.holder_id = s.holder_id
WHERE t.holder_id IS NULL;
COMMENT ON VIEW law_references_hold IS 'Every row that a foreign key names exists, where the key is kept by triggers and not by PostgreSQL itself.';

CREATE VIEW audited_rows AS
SELECT 'users' AS table_name, id AS row_id, revision FROM users
UNION ALL
SELECT 'user_roles', id, revision FROM user_roles
UNION ALL
SELECT 'instruments', id, revision FROM instruments
UNION ALL
SELECT 'account_groups', id, revision FROM account_groups
UNION ALL
SELECT 'commission_terms', id, revision FROM commission_terms
UNION ALL
SELECT 'accounts', id, revision FROM accounts
UNION ALL
SELECT 'liquidity_providers', id, revision FROM liquidity_providers
UNION ALL
SELECT 'provider_connections', id, revision FROM provider_connections
UNION ALL
SELECT 'trading_sessions', id, revision FROM trading_sessions
UNION ALL
SELECT 'margin_tiers', id, revision FROM margin_tiers
UNION ALL
SELECT 'trading_halts', id, revision FROM trading_halts
UNION ALL
SELECT 'risk_limits', id, revision FROM risk_limits
UNION ALL
SELECT 'hedges', id, revision FROM hedges
UNION ALL
SELECT 'routing_policies', id, revision FROM routing_policies
UNION ALL
SELECT 'routing_rules', id, revision FROM routing_rules
UNION ALL
SELECT 'routing_overrides', id, revision FROM routing_overrides
UNION ALL
SELECT 'margin_calls', id, revision FROM margin_calls
UNION ALL
SELECT 'payment_limits', id, revision FROM payment_limits WHERE revision > 0
UNION ALL
SELECT 'payment_transactions', id, revision FROM payment_transactions
UNION ALL
SELECT 'payment_claims', id, revision FROM payment_claims
UNION ALL
SELECT 'suspense_returns', id, revision FROM suspense_returns
UNION ALL
SELECT 'audit_retention', id, revision FROM audit_retention
UNION ALL
SELECT 'audit_holds', id, revision FROM audit_holds
UNION ALL
SELECT 'audit_archives', id, revision FROM audit_archives;
COMMENT ON VIEW audited_rows IS 'Every row whose changes are copied into audit_log, with the number of its changes.';

CREATE VIEW law_every_change_is_audited AS
SELECT
    coalesce(r.table_name, l.table_name) AS table_name,
    coalesce(r.row_id, l.row_id) AS row_id,
    r.revision,
    l.audit_rows
FROM audited_rows AS r
FULL JOIN (
    SELECT k.table_name, k.row_id, sum(k.change_count)::bigint AS audit_rows, bool_or(k.is_deleted) AS is_deleted
    FROM (
        SELECT table_name, row_id, count(*) AS change_count, bool_or(action = 'delete') AS is_deleted
        FROM audit_log
        GROUP BY table_name, row_id
        UNION ALL
        SELECT c.table_name, c.row_id, c.change_count, c.is_deleted
        FROM audit_archive_counts AS c
        JOIN audit_months_away AS w ON w.month = c.month
    ) AS k
    GROUP BY k.table_name, k.row_id
) AS l ON l.table_name = r.table_name AND l.row_id = r.row_id
WHERE r.revision::bigint IS DISTINCT FROM l.audit_rows
  AND NOT (r.row_id IS NULL AND l.is_deleted);
COMMENT ON VIEW law_every_change_is_audited IS 'Each audited row has as many rows in audit_log, and in its archived months, as it has revisions; one that is gone left its deletion there.';

CREATE VIEW law_seals_verify AS
SELECT s.seq, s.row_count, d.row_count AS found_row_count, s.digest, d.digest AS found_digest
FROM (
    SELECT
        l AS seal,
        l.*,
        lag(l.seq, 1, 0::bigint) OVER chain AS previous_seq,
        lag(l.to_txid, 1, 0::bigint) OVER chain AS previous_to_txid,
        lag(l.head) OVER chain AS previous_head
    FROM audit_seals AS l
    WINDOW chain AS (ORDER BY l.seq)
) AS s
CROSS JOIN (SELECT is_counting_anew(max(to_txid)) AS is_anew FROM audit_seals) AS server
CROSS JOIN LATERAL audit_segment_digest(
    s.from_txid, s.to_txid, CASE WHEN server.is_anew THEN s.row_count END, s.seq
) AS d
WHERE s.seq <> s.previous_seq + 1
   OR s.from_txid <> s.previous_to_txid
   OR s.row_count <> d.row_count
   OR s.digest <> d.digest
   OR s.head <> audit_seal_head(s.previous_head, s.seal);
COMMENT ON VIEW law_seals_verify IS 'Each seal still matches the audit rows that it covers, online and archived, and the seal before it.';

-- Entries and transfers are held against the hashes that were sealed of them; the hashes against the
-- seal's digest, and that against the seal before. Whichever is touched, its seal is told.
CREATE VIEW law_ledger_seals_verify AS
SELECT s.seal_seq AS seq, s.holder_id, s.from_version, s.to_version, 'entries' AS fault
FROM ledger_seal_segments AS s
CROSS JOIN LATERAL (
    SELECT string_agg(ledger_entry_hash(e), ''::bytea ORDER BY e.version) AS entry_hashes
    FROM balance_ledger AS e
    WHERE e.holder_id = s.holder_id AND e.version >= s.from_version AND e.version <= s.to_version
) AS found
WHERE found.entry_hashes IS DISTINCT FROM s.entry_hashes
UNION ALL
SELECT s.seq, NULL, NULL, NULL, 'transfers'
FROM ledger_seals AS s
CROSS JOIN (SELECT is_counting_anew(max(to_txid)) AS is_anew FROM ledger_seals) AS server
CROSS JOIN LATERAL (
    SELECT ledger_found_transfers(
        s.from_txid, s.to_txid, CASE WHEN server.is_anew THEN s.transfer_hashes END
    ) AS transfer_hashes
) AS found
WHERE found.transfer_hashes <> s.transfer_hashes
UNION ALL
SELECT coalesce(s.seq, c.seal_seq), NULL, NULL, NULL, 'seal'
FROM (
    SELECT
        l AS seal,
        l.*,
        lag(l.seq, 1, 0::bigint) OVER chain AS previous_seq,
        lag(l.to_txid, 1, 0::bigint) OVER chain AS previous_to_txid,
        lag(l.head, 1, ''::bytea) OVER chain AS previous_head
    FROM ledger_seals AS l
    WINDOW chain AS (ORDER BY l.seq)
) AS s
FULL JOIN (
    SELECT
        seal_seq,
        sum(to_version - from_version + 1) AS entry_count,
        string_agg(ledger_segment_hash(holder_id, from_version, to_version, entry_hashes), ''::bytea ORDER BY holder_id) AS hashes
    FROM ledger_seal_segments
    GROUP BY seal_seq
) AS c ON c.seal_seq = s.seq
WHERE (s.seq = s.previous_seq + 1) IS NOT TRUE
   OR s.from_txid <> s.previous_to_txid
   OR s.entry_count <> coalesce(c.entry_count, 0)
   OR s.digest <> sha256('\x03'::bytea || coalesce(c.hashes, ''::bytea) || sha256(s.transfer_hashes))
   OR s.head <> ledger_seal_head(s.previous_head, s.digest, s.seal);
COMMENT ON VIEW law_ledger_seals_verify IS 'Each seal of the ledger still matches the entries and transfers that it covers, and the seal before it.';

CREATE VIEW law_record_seals_verify AS
SELECT f.seq, f.table_name, f.row_key, f.fault
FROM record_faults() AS f
UNION ALL
SELECT coalesce(s.seq, c.seal_seq), NULL, NULL, 'seal'
FROM (
    SELECT
        l AS seal,
        l.*,
        lag(l.seq, 1, 0::bigint) OVER chain AS previous_seq,
        lag(l.head) OVER chain AS previous_head
    FROM record_seals AS l
    WINDOW chain AS (ORDER BY l.seq)
) AS s
FULL JOIN (
    SELECT
        g.seal_seq,
        sum(cardinality(g.row_keys)) AS row_count,
        string_agg(record_segment_hash(g), ''::bytea ORDER BY g.table_name, g.part) AS hashes
    FROM record_seal_segments AS g
    GROUP BY g.seal_seq
) AS c ON c.seal_seq = s.seq
WHERE (s.seq = s.previous_seq + 1) IS NOT TRUE
   OR s.row_count <> coalesce(c.row_count, 0)
   OR s.digest <> sha256('\x07'::bytea || coalesce(c.hashes, ''::bytea))
   OR s.head <> record_seal_head(s.previous_head, s.seal);
COMMENT ON VIEW law_record_seals_verify IS 'Each sealed row of an append-only table is there and says what was sealed, and each seal follows from its rows and the seal before it.';

CREATE VIEW laws_checked AS
SELECT 'money_sums_to_zero' AS law, count(DISTINCT currency) AS checked FROM ledger_holders
UNION ALL
SELECT 'balance_is_last_entry', count(*) FROM holder_balances
UNION ALL
SELECT 'balance_is_replay', count(*) FROM holder_balances
UNION ALL
SELECT 'versions_are_gapless', count(*) FROM balance_ledger
UNION ALL
SELECT 'entry_names_its_owner', count(*) FROM balance_ledger
UNION ALL
SELECT 'transfer_has_its_entries', count(*) FROM transfers
UNION ALL
SELECT 'reversals_are_within_their_original', count(*) FROM transfers WHERE reverses_id IS NOT NULL
UNION ALL
SELECT 'wallets_are_not_negative', count(*) FROM user_balances
UNION ALL
SELECT 'reserved_is_open_holds', count(*) FROM user_balances
UNION ALL
SELECT 'hold_is_its_entries', count(*) FROM balance_holds
UNION ALL
SELECT 'wallet_status_is_its_last_change', count(*) FROM user_balances
UNION ALL
SELECT 'exchange_is_in_the_ledger', count(*) FROM exchanges
UNION ALL
SELECT 'house_balance_is_its_transfers', count(*) FROM house_balances
UNION ALL
SELECT 'payment_is_in_the_ledger', count(*) FROM payment_transactions
UNION ALL
SELECT 'claim_is_in_the_ledger', count(*) FROM payment_claims
UNION ALL
SELECT 'receivables_are_the_house_account', count(*) FROM receivables
UNION ALL
SELECT 'every_state_is_announced', (SELECT count(*) FROM payment_transactions) + (SELECT count(*) FROM payment_claims)
UNION ALL
SELECT 'settlement_is_in_the_ledger', count(*) FROM payment_settlements
UNION ALL
SELECT 'order_is_its_fills', count(*) FROM orders
UNION ALL
SELECT 'order_is_its_events', count(*) FROM orders
UNION ALL
SELECT 'order_is_dealt_in_its_book', count(*) FROM orders WHERE filled_quantity > 0
UNION ALL
SELECT 'exposure_is_its_fills', count(*) FROM house_exposures
UNION ALL
SELECT 'exposure_is_kept', count(*) FROM kept_exposures
UNION ALL
SELECT 'hedge_is_its_fills', count(*) FROM hedges
UNION ALL
SELECT 'hedge_fills_follow_each_other', count(*) FROM hedge_fills
UNION ALL
SELECT 'hedge_is_in_the_ledger', count(*) FROM hedge_fills
UNION ALL
SELECT 'position_is_its_trades', count(*) FROM positions
UNION ALL
SELECT 'open_positions_fit_their_mode', count(*) FROM positions WHERE is_open
UNION ALL
SELECT 'opening_rates_are_their_trades', count(*) FROM opening_rates
UNION ALL
SELECT 'closing_orders_close_their_position', count(*) FROM closing_orders
UNION ALL
SELECT 'close_by_is_its_trades', count(*) FROM close_bys
UNION ALL
SELECT 'amended_levels_stand', count(*) FROM position_amendments
UNION ALL
SELECT 'trades_are_their_fill', count(*) FROM order_fills
UNION ALL
SELECT 'trade_is_in_the_ledger', count(*) FROM trades
UNION ALL
SELECT 'result_is_its_prices', count(*) FROM trades WHERE effect = 'close'
UNION ALL
SELECT 'forgiven_when_nothing_is_open', count(*) FROM balance_ledger WHERE operation = 'nbp_adjustment'
UNION ALL
SELECT 'adjustment_is_in_the_ledger', count(*) FROM trade_adjustments
UNION ALL
SELECT 'reversal_is_of_its_trade', count(*) FROM trade_reversals
UNION ALL
SELECT 'reversal_is_in_the_ledger', count(*) FROM trade_reversals
UNION ALL
SELECT 'rollover_is_in_the_ledger', count(*) FROM position_rollovers
UNION ALL
SELECT 'realised_pnl_is_the_ledger', count(DISTINCT account_id) FROM trades
UNION ALL
SELECT 'makers_are_post_only', count(*) FROM order_fills
UNION ALL
SELECT 'client_profile_is_its_measures', count(*) FROM client_profiles
UNION ALL
SELECT 'markout_is_its_middle', count(fill_id) FROM client_measures
UNION ALL
SELECT 'retail_clients_are_lent_nothing', count(*) FROM accounts
UNION ALL
SELECT 'references_hold', (SELECT count(*) FROM orders) + (SELECT count(*) FROM order_fills)
    + (SELECT count(*) FROM order_events) + (SELECT count(*) FROM positions) + (SELECT count(*) FROM trades)
    + (SELECT count(*) FROM transfers) + (SELECT count(*) FROM balance_ledger)
UNION ALL
SELECT 'hedge_result_is_its_prices', count(*) FROM hedge_fills
UNION ALL
SELECT 'commission_is_of_a_trade', count(*) FROM balance_ledger WHERE operation = 'commission'
UNION ALL
SELECT 'house_movement_has_its_cause', count(*)
FROM transfers AS m
JOIN house_accounts AS g ON g.id = m.debit_holder_id
JOIN house_accounts AS r ON r.id = m.credit_holder_id
UNION ALL
SELECT 'rollover_days_are_of_the_calendar', count(*) FROM position_rollovers
UNION ALL
SELECT 'rollover_is_of_what_was_open', count(*) FROM positions
UNION ALL
SELECT 'swap_free_days_cost_only_their_fee', count(*) FROM position_rollovers
UNION ALL
SELECT 'every_change_is_audited', count(*) FROM audited_rows
UNION ALL
SELECT 'seals_verify', count(*) FROM audit_seals
UNION ALL
SELECT 'ledger_seals_verify', count(*) FROM ledger_seals
UNION ALL
SELECT 'record_seals_verify', coalesce(sum(row_count), 0)::bigint FROM record_seals;
COMMENT ON VIEW laws_checked IS 'How many things each law is held against, named as its view without law_.';

-- Holds all laws in one snapshot, so that it may run beside writers. The views are found in the
-- catalogue: a law that laws_checked forgot, or that lost its view, is an error and not a silence.
CREATE FUNCTION check_laws(p_examples_max integer DEFAULT 3)
RETURNS TABLE (law text, checked bigint, broken bigint, examples jsonb)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
    v_views text[] := ARRAY(
        SELECT substr(c.relname, 5)
        FROM pg_class AS c
        WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind = 'v' AND c.relname LIKE 'law\_%'
        ORDER BY c.relname
    );
    v_listed text[] := ARRAY(SELECT l.law FROM laws_checked AS l ORDER BY 'law_' || l.law);
BEGIN
    IF v_views <> v_listed THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW015',
            MESSAGE = 'laws_checked and the views law_... do not name the same laws',
            DETAIL = format('Views: %s. Listed: %s.', array_to_string(v_views, ', '), array_to_string(v_listed, ', ')),
            HINT = 'Add the law to laws_checked, or make its view.';
    END IF;
    FOR law, checked IN SELECT l.law, l.checked FROM laws_checked AS l ORDER BY l.law LOOP
        EXECUTE format(
            'SELECT count(*), coalesce(jsonb_agg(to_jsonb(b) - ''example_number'') FILTER (WHERE b.example_number <= $1), ''[]'')'
            ' FROM (SELECT *, row_number() OVER () AS example_number FROM %I) AS b',
            'law_' || law
        ) INTO broken, examples USING p_examples_max;
        RETURN NEXT;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION check_laws(integer) IS 'Every law with how many things it was held against, how many break it, and some of them; TW015 when laws_checked and the views differ.';
