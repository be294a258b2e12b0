-- 006: wallets, the journal of every movement of money, and the payments in and out.
--
-- A transfer moves one positive amount of one currency from one holder to another: zero-sum by
-- construction. Each wallet or account that a transfer touches gets an entry in balance_ledger
-- with the balance before and after and the holder's next version. The balance rows themselves
-- refuse to change without those entries. Locks are taken in one order everywhere: wallets by
-- holder_id, then accounts by id, then holds by id.

-- What a single column of the ledger may hold is said by its type: a server reads the text of a CHECK
-- of a table for every statement that writes, and keeps that of a type.
CREATE DOMAIN moved_amount AS numeric(20, 8)
    CONSTRAINT moved_amount_positive CHECK (VALUE > 0 AND VALUE < 'Infinity');
COMMENT ON DOMAIN moved_amount IS 'What a movement, an entry or a hold is about: above zero and finite.';
CREATE DOMAIN available_money AS numeric(20, 8)
    CONSTRAINT available_money_not_negative CHECK (VALUE >= 0 AND VALUE < 'Infinity');
COMMENT ON DOMAIN available_money IS 'Money of a wallet that its owner may spend: never below zero.';
CREATE DOMAIN reserved_money AS numeric(20, 8)
    CONSTRAINT reserved_money_not_negative CHECK (VALUE >= 0 AND VALUE < 'Infinity');
COMMENT ON DOMAIN reserved_money IS 'Money that is set aside: never below zero.';
CREATE DOMAIN entry_money AS numeric(20, 8)
    CONSTRAINT entry_money_finite CHECK (VALUE > '-Infinity' AND VALUE < 'Infinity');
COMMENT ON DOMAIN entry_money IS 'What a holder has: of an account it may be below zero.';
CREATE DOMAIN entry_version AS bigint
    CONSTRAINT entry_version_positive CHECK (VALUE > 0);
COMMENT ON DOMAIN entry_version IS 'Number of an entry of a holder, from one on.';
-- The words that are written most are known at once: to look at each of their letters took one
-- twentieth of the server's time for a batch.
CREATE DOMAIN operation_name AS text
    CONSTRAINT operation_name_is_plain CHECK (
        VALUE IN ('credit', 'debit', 'commission', 'realised_pnl')
        OR (length(VALUE) BETWEEN 1 AND 32 AND ltrim(VALUE, 'abcdefghijklmnopqrstuvwxyz_') = '')
    );
COMMENT ON DOMAIN operation_name IS 'What was done, in business terms: small letters and underscores, at most 32.';
CREATE DOMAIN wallet_status AS text
    CONSTRAINT wallet_status_known CHECK (VALUE IN ('active', 'frozen', 'closed'));
COMMENT ON DOMAIN wallet_status IS 'What a wallet lets through.';
CREATE DOMAIN wallet_kind AS text
    CONSTRAINT wallet_kind_is_wallet CHECK (VALUE = 'wallet');
COMMENT ON DOMAIN wallet_kind IS 'The kind of holder that a wallet is.';
CREATE DOMAIN hold_purpose AS text
    CONSTRAINT hold_purpose_known CHECK (VALUE IN ('order', 'withdrawal', 'refund', 'dispute', 'unconfirmed'));
COMMENT ON DOMAIN hold_purpose IS 'What money is set aside for.';

CREATE TABLE transfers (
    id uuid
        CONSTRAINT transfers_pkey PRIMARY KEY,
    transaction_id uuid
        CONSTRAINT transfers_transaction_id_present NOT NULL,
    operation operation_name
        CONSTRAINT transfers_operation_present NOT NULL,
    debit_holder_id uuid
        CONSTRAINT transfers_debit_holder_id_present NOT NULL,
    credit_holder_id uuid
        CONSTRAINT transfers_credit_holder_id_present NOT NULL,
    currency text
        CONSTRAINT transfers_currency_present NOT NULL,
    amount moved_amount
        CONSTRAINT transfers_amount_present NOT NULL,
    reverses_id uuid
        CONSTRAINT transfers_reversed_exists REFERENCES transfers (id) NOT ENFORCED,
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT transfers_created_at_present NOT NULL,
    txid bigint DEFAULT txid_current()
        CONSTRAINT transfers_txid_present NOT NULL,
    -- Both holders have the transfer's currency: a transfer between currencies cannot be written.
    CONSTRAINT transfers_debit_holder_exists FOREIGN KEY (debit_holder_id, currency)
        REFERENCES ledger_holders (id, currency) NOT ENFORCED,
    CONSTRAINT transfers_credit_holder_exists FOREIGN KEY (credit_holder_id, currency)
        REFERENCES ledger_holders (id, currency) NOT ENFORCED
);
COMMENT ON TABLE transfers IS 'Every movement of money: one holder gives, one receives, one currency, one amount. Append-only.';
COMMENT ON COLUMN transfers.transaction_id IS 'What the movement belongs to: a trade, a payment, or the caller''s own key.';
COMMENT ON COLUMN transfers.debit_holder_id IS 'The holder that gives.';
COMMENT ON COLUMN transfers.credit_holder_id IS 'The holder that receives.';
COMMENT ON COLUMN transfers.reverses_id IS 'The transfer that this one takes back, whole or in part.';
COMMENT ON COLUMN transfers.txid IS 'Transaction that wrote it; the house''s balances are rolled up by it, because times are taken before transactions commit.';
-- Rows arrive nearly in the order of their transactions: the roll-up reads the end of the table, and
-- an insert pays next to nothing for it.
CREATE INDEX idx_transfers_txid
    ON transfers USING brin (txid) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX idx_transfers_reverses_id
    ON transfers (reverses_id)
    WHERE reverses_id IS NOT NULL;

CREATE TABLE user_balances (
    user_id uuid
        CONSTRAINT user_balances_user_id_present NOT NULL
        CONSTRAINT user_balances_user_exists REFERENCES users (id) ON DELETE RESTRICT,
    currency text
        CONSTRAINT user_balances_currency_present NOT NULL
        CONSTRAINT user_balances_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    holder_id uuid DEFAULT uuidv7()
        CONSTRAINT user_balances_holder_id_present NOT NULL
        CONSTRAINT user_balances_holder_id_unique UNIQUE,
    kind wallet_kind DEFAULT 'wallet'
        CONSTRAINT user_balances_kind_present NOT NULL,
    available available_money DEFAULT 0
        CONSTRAINT user_balances_available_present NOT NULL,
    reserved reserved_money DEFAULT 0
        CONSTRAINT user_balances_reserved_present NOT NULL,
    version bigint DEFAULT 0
        CONSTRAINT user_balances_version_present NOT NULL,
    status wallet_status DEFAULT 'active'
        CONSTRAINT user_balances_status_present NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT user_balances_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT user_balances_updated_at_present NOT NULL,
    CONSTRAINT user_balances_pkey PRIMARY KEY (user_id, currency),
    -- Deferred: the wallet's own key decides which of two first credits makes the holder.
    CONSTRAINT user_balances_holder_exists FOREIGN KEY (holder_id, kind, currency)
        REFERENCES ledger_holders (id, kind, currency) ON DELETE RESTRICT
        DEFERRABLE INITIALLY DEFERRED
) WITH (fillfactor = 70);
COMMENT ON TABLE user_balances IS 'Wallets: what a user holds outside trading accounts, free and set aside. Written by the ledger only.';
COMMENT ON COLUMN user_balances.reserved IS 'Set aside by open rows of balance_holds; always their sum.';
COMMENT ON COLUMN user_balances.status IS 'Frozen: money comes in and holds end, nothing else leaves; closed: empty for ever. Last row of wallet_status_changes.';
COMMENT ON COLUMN user_balances.version IS 'Number of the wallet''s last entry in balance_ledger; gapless.';
-- Both columns: a plan that takes it for the key's reads no more than by the key.
CREATE INDEX idx_user_balances_currency_user_id
    ON user_balances (currency, user_id);

CREATE TABLE wallet_status_changes (
    holder_id uuid
        CONSTRAINT wallet_status_changes_holder_id_present NOT NULL
        CONSTRAINT wallet_status_changes_wallet_exists REFERENCES user_balances (holder_id) ON DELETE RESTRICT,
    seq integer
        CONSTRAINT wallet_status_changes_seq_present NOT NULL
        CONSTRAINT wallet_status_changes_seq_positive CHECK (seq > 0),
    transaction_id uuid
        CONSTRAINT wallet_status_changes_transaction_id_present NOT NULL
        CONSTRAINT wallet_status_changes_transaction_once UNIQUE,
    from_status text
        CONSTRAINT wallet_status_changes_from_status_present NOT NULL,
    to_status text
        CONSTRAINT wallet_status_changes_to_status_present NOT NULL,
    reason text
        CONSTRAINT wallet_status_changes_reason_present NOT NULL
        CONSTRAINT wallet_status_changes_reason_not_empty CHECK (length(trim(reason)) BETWEEN 1 AND 500),
    actor text DEFAULT coalesce(nullif(current_setting('app.actor', true), ''), session_user)
        CONSTRAINT wallet_status_changes_actor_present NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT wallet_status_changes_created_at_present NOT NULL,
    CONSTRAINT wallet_status_changes_pkey PRIMARY KEY (holder_id, seq),
    CONSTRAINT wallet_status_changes_step_allowed CHECK (
        (from_status, to_status) IN (('active', 'frozen'), ('frozen', 'active'), ('active', 'closed'))
    )
);
COMMENT ON TABLE wallet_status_changes IS 'Every freezing, activating and closing of a wallet, with who did it and why. Append-only.';
COMMENT ON COLUMN wallet_status_changes.actor IS 'From app.actor, or the session''s role.';

CREATE TABLE balance_holds (
    id uuid DEFAULT uuidv7()
        CONSTRAINT balance_holds_pkey PRIMARY KEY,
    holder_id uuid
        CONSTRAINT balance_holds_holder_id_present NOT NULL
        CONSTRAINT balance_holds_wallet_exists REFERENCES user_balances (holder_id) NOT ENFORCED,
    purpose hold_purpose
        CONSTRAINT balance_holds_purpose_present NOT NULL,
    amount moved_amount
        CONSTRAINT balance_holds_amount_present NOT NULL,
    remaining reserved_money
        CONSTRAINT balance_holds_remaining_present NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT balance_holds_created_at_present NOT NULL,
    expires_at timestamptz,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT balance_holds_updated_at_present NOT NULL
);
COMMENT ON TABLE balance_holds IS 'Money of a wallet set aside, by purpose; open while something remains.';
COMMENT ON COLUMN balance_holds.remaining IS 'What has been neither released nor captured.';
COMMENT ON COLUMN balance_holds.expires_at IS 'From then on the hold is released and no longer captured; empty: it stays until it is ended.';
CREATE INDEX idx_balance_holds_holder_id
    ON balance_holds (holder_id);
CREATE INDEX idx_balance_holds_expires_at_open
    ON balance_holds (expires_at)
    WHERE remaining > 0 AND expires_at IS NOT NULL;

-- What the balances and causes of an entry must be. The guard of the entries asks it, which keeps its plan:
-- a CHECK is read anew, as text, for every statement that writes, and cost more than the row.
CREATE FUNCTION entry_adds_up(
    p_effect text, p_amount numeric, p_available_before numeric, p_available_after numeric,
    p_reserved_before numeric, p_reserved_after numeric, p_transfer_id uuid, p_hold_id uuid
) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_effect
        WHEN 'credit' THEN
            p_available_after = p_available_before + p_amount AND p_reserved_after = p_reserved_before
            AND p_transfer_id IS NOT NULL AND p_hold_id IS NULL
        WHEN 'debit' THEN
            p_available_after = p_available_before - p_amount AND p_reserved_after = p_reserved_before
            AND p_transfer_id IS NOT NULL AND p_hold_id IS NULL
        WHEN 'reserve' THEN
            p_available_after = p_available_before - p_amount AND p_reserved_after = p_reserved_before + p_amount
            AND p_transfer_id IS NULL AND p_hold_id IS NOT NULL
        WHEN 'release' THEN
            p_available_after = p_available_before + p_amount AND p_reserved_after = p_reserved_before - p_amount
            AND p_transfer_id IS NULL AND p_hold_id IS NOT NULL
        WHEN 'capture' THEN
            p_available_after = p_available_before AND p_reserved_after = p_reserved_before - p_amount
            AND p_transfer_id IS NOT NULL AND p_hold_id IS NOT NULL
        ELSE false
    END
$$;
COMMENT ON FUNCTION entry_adds_up(text, numeric, numeric, numeric, numeric, numeric, uuid, uuid) IS 'Whether an effect of an amount leads from the balances before to those after, and what moves has a transfer, what is set aside or drawn a hold, and nothing else either; false for an unknown effect.';

-- tradewright: ignore missing-composite-index: user_balance_history finds times by the primary key
CREATE TABLE balance_ledger (
    holder_id uuid
        CONSTRAINT balance_ledger_holder_id_present NOT NULL,
    version entry_version
        CONSTRAINT balance_ledger_version_present NOT NULL,
    user_id uuid
        CONSTRAINT balance_ledger_user_id_present NOT NULL
        CONSTRAINT balance_ledger_user_exists REFERENCES users (id) NOT ENFORCED,
    currency text
        CONSTRAINT balance_ledger_currency_present NOT NULL,
    transaction_id uuid
        CONSTRAINT balance_ledger_transaction_id_present NOT NULL,
    operation operation_name
        CONSTRAINT balance_ledger_operation_present NOT NULL,
    effect text
        CONSTRAINT balance_ledger_effect_present NOT NULL,
    amount moved_amount
        CONSTRAINT balance_ledger_amount_present NOT NULL,
    available_before entry_money
        CONSTRAINT balance_ledger_available_before_present NOT NULL,
    available_after entry_money
        CONSTRAINT balance_ledger_available_after_present NOT NULL,
    reserved_before reserved_money
        CONSTRAINT balance_ledger_reserved_before_present NOT NULL,
    reserved_after reserved_money
        CONSTRAINT balance_ledger_reserved_after_present NOT NULL,
    transfer_id uuid
        CONSTRAINT balance_ledger_transfer_exists REFERENCES transfers (id) NOT ENFORCED,
    hold_id uuid
        CONSTRAINT balance_ledger_hold_exists REFERENCES balance_holds (id) NOT ENFORCED,
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT balance_ledger_created_at_present NOT NULL,
    CONSTRAINT balance_ledger_pkey PRIMARY KEY (holder_id, version),
    CONSTRAINT balance_ledger_transaction_once UNIQUE (transaction_id, operation),
    CONSTRAINT balance_ledger_holder_exists FOREIGN KEY (holder_id, currency)
        REFERENCES ledger_holders (id, currency) NOT ENFORCED
);
COMMENT ON TABLE balance_ledger IS 'One entry for each change of a wallet or account: before, after and the holder''s next version. Append-only.';
COMMENT ON COLUMN balance_ledger.version IS 'Gapless per holder; the order of the entries and of their times, so user_balance_history finds a time by it.';
COMMENT ON COLUMN balance_ledger.operation IS 'What was done, in business terms; once per transaction_id.';
COMMENT ON COLUMN balance_ledger.effect IS 'What it did to the holder: credit, debit, reserve, release, or capture (debit of reserved money).';
COMMENT ON COLUMN balance_ledger.available_before IS 'For a trading account: its balance.';
COMMENT ON COLUMN balance_ledger.created_at IS 'Stamped after the holder was locked, so it never goes back within a holder.';
CREATE INDEX idx_balance_ledger_hold_id
    ON balance_ledger (hold_id)
    WHERE hold_id IS NOT NULL;
-- A hold is set aside once; what it is grows by no second entry.
CREATE UNIQUE INDEX idx_balance_ledger_hold_id_reserve
    ON balance_ledger (hold_id)
    WHERE effect = 'reserve';

-- What takes a movement back goes the other way between the same holders, is not taken back itself, and all
-- of it together is no more than the movement. Two that a client's holder has a part in cannot be written at
-- once, because the entries of one follow those of the other.
CREATE FUNCTION require_reversals_within_original(p_original_ids uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v record;
BEGIN
    SELECT o.id, o.amount, sum(r.amount) AS reversed, bool_and(
        o.reverses_id IS NULL AND (r.debit_holder_id, r.credit_holder_id) = (o.credit_holder_id, o.debit_holder_id)
    ) AS is_its_reverse
    INTO v
    FROM transfers AS o
    JOIN transfers AS r ON r.reverses_id = o.id
    WHERE o.id = ANY(p_original_ids)
    GROUP BY o.id
    HAVING sum(r.amount) > o.amount
        OR NOT bool_and(
            o.reverses_id IS NULL AND (r.debit_holder_id, r.credit_holder_id) = (o.credit_holder_id, o.debit_holder_id)
        )
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    ELSIF NOT v.is_its_reverse THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW019',
            MESSAGE = format('transfer "%s" cannot be taken back like this', v.id),
            DETAIL = 'A movement is taken back between the same holders the other way, and what took one back stands.',
            HINT = 'Take movements back with reverse_user_movement.',
            TABLE = 'transfers';
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'TW020',
        MESSAGE = format('%s of transfer "%s" would be taken back, it moved %s', trim_scale(v.reversed), v.id, trim_scale(v.amount)),
        DETAIL = 'All that takes a movement back is together no more than the movement.',
        HINT = 'Ask for at most what is left.',
        TABLE = 'transfers';
END;
$$;
COMMENT ON FUNCTION require_reversals_within_original(uuid[]) IS 'Refuses reversals of some transfers that go elsewhere or are taken back themselves (TW019), or that together pass their original (TW020).';

-- Refuse transfers and entries of holders that do not exist or that hold another currency, entries in
-- another user's name, and transfers whose clients have no entry of them, a whole statement at once: so a
-- transfer comes with its entries in one statement. A side whose entry is there is not looked up: the guard
-- of the entries knows its holder, and with a million wallets each row that was not read before is a walk
-- through memory that no cache holds. The other side is a house, or it is looked at more closely: between
-- two clients the entries are of other operations than their transfer. A session that writes batches has the
-- plain case, one side the house's, looked up for all rows together.
CREATE FUNCTION transfers_refer_to_rows() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET enable_seqscan = off
SET enable_hashjoin = on
SET enable_nestloop = off
SET enable_bitmapscan = off
SET enable_sort = off AS $$
DECLARE
    v_id uuid;
    v_is_alike boolean;
    v_is_orphan boolean;
    v_has_original boolean;
    v_is_of_now boolean;
BEGIN
    IF current_setting('tradewright.writes_batches', true) = 'on' THEN
        PERFORM
        FROM new_transfers AS n
        LEFT JOIN (
            SELECT b.transaction_id, b.operation, b.holder_id, b.currency, b.transfer_id
            FROM balance_ledger AS b
            WHERE b.transaction_id = ANY(ARRAY(SELECT x.transaction_id FROM new_transfers AS x))
            OFFSET 0
        ) AS e ON e.transaction_id = n.transaction_id AND e.operation = n.operation
        LEFT JOIN house_accounts AS h
            ON h.id = CASE WHEN e.holder_id = n.debit_holder_id THEN n.credit_holder_id ELSE n.debit_holder_id END
        WHERE (e.transfer_id, e.currency, h.currency) IS DISTINCT FROM (n.id, n.currency, n.currency)
           OR n.txid <> txid_current()
           OR n.created_at < transaction_timestamp()
           OR n.created_at > clock_timestamp()
           OR n.reverses_id IS NOT NULL;
    ELSE
        PERFORM
        FROM new_transfers AS n
        LEFT JOIN LATERAL (
            SELECT b.holder_id, b.currency, b.transfer_id
            FROM balance_ledger AS b
            WHERE b.transaction_id = n.transaction_id AND b.operation = n.operation
            OFFSET 0
        ) AS e ON true
        WHERE (
               (e.transfer_id = n.id AND e.holder_id = n.debit_holder_id AND e.currency = n.currency) IS NOT TRUE
               AND (
                   SELECT h.id FROM ledger_holders AS h
                   WHERE h.id = n.debit_holder_id AND h.kind = 'house' AND h.currency = n.currency
               ) IS NULL
           )
           OR (
               (e.transfer_id = n.id AND e.holder_id = n.credit_holder_id AND e.currency = n.currency) IS NOT TRUE
               AND (
                   SELECT h.id FROM ledger_holders AS h
                   WHERE h.id = n.credit_holder_id AND h.kind = 'house' AND h.currency = n.currency
               ) IS NULL
           )
           OR n.debit_holder_id = n.credit_holder_id
           OR n.txid <> txid_current()
           OR n.created_at < transaction_timestamp()
           OR n.created_at > clock_timestamp()
           OR n.reverses_id IS NOT NULL;
    END IF;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT
        n.id,
        n.debit_holder_id = n.credit_holder_id,
        d.kind IS NULL OR c.kind IS NULL,
        n.reverses_id IS NULL OR o.id IS NOT NULL,
        n.txid = txid_current() AND n.created_at BETWEEN transaction_timestamp() AND clock_timestamp()
    INTO v_id, v_is_alike, v_is_orphan, v_has_original, v_is_of_now
    FROM new_transfers AS n
    LEFT JOIN LATERAL (
        SELECT h.kind FROM ledger_holders AS h WHERE h.id = n.debit_holder_id AND h.currency = n.currency OFFSET 0
    ) AS d ON true
    LEFT JOIN LATERAL (
        SELECT h.kind FROM ledger_holders AS h WHERE h.id = n.credit_holder_id AND h.currency = n.currency OFFSET 0
    ) AS c ON true
    LEFT JOIN LATERAL (
        SELECT f.id FROM transfers AS f WHERE f.id = n.reverses_id OFFSET 0
    ) AS o ON true
    LEFT JOIN LATERAL (
        SELECT
            count(*) FILTER (WHERE b.holder_id = n.debit_holder_id) AS given_count,
            count(*) FILTER (WHERE b.holder_id = n.credit_holder_id) AS received_count
        FROM balance_ledger AS b
        WHERE b.transaction_id = n.transaction_id
          AND b.operation IN (n.operation, 'transfer_out', 'transfer_in')
          AND b.transfer_id = n.id
    ) AS e ON true
    WHERE d.kind IS NULL
       OR c.kind IS NULL
       OR (d.kind <> 'house' AND e.given_count <> 1)
       OR (c.kind <> 'house' AND e.received_count <> 1)
       OR n.debit_holder_id = n.credit_holder_id
       OR (n.reverses_id IS NOT NULL AND o.id IS NULL)
       OR n.txid <> txid_current()
       OR n.created_at < transaction_timestamp()
       OR n.created_at > clock_timestamp();
    IF v_id IS NULL THEN
        PERFORM require_reversals_within_original(array_agg(DISTINCT n.reverses_id))
        FROM new_transfers AS n
        WHERE n.reverses_id IS NOT NULL;
        RETURN NULL;
    END IF;
    IF v_is_alike THEN
        RAISE check_violation USING
            MESSAGE = format('transfer "%s" has the same holder on both sides', v_id),
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'transfers_holders_differ';
    ELSIF v_is_orphan THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('transfer "%s" refers to a holder that does not exist in its currency', v_id),
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'transfers_debit_holder_exists';
    ELSIF NOT v_has_original THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('transfer "%s" takes back another that does not exist', v_id),
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'transfers_reversed_exists';
    ELSIF v_is_of_now THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW023',
            MESSAGE = format('transfer "%s" moves money of a client without an entry of it', v_id),
            DETAIL = 'A wallet or account that gives or receives has an entry of the transfer; only house accounts have none.',
            HINT = 'Write the transfer and its entries in one statement, as the ledger''s functions and its batch do.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'TW013',
        MESSAGE = format('transfer "%s" says that it was written by another transaction, or at another time', v_id),
        DETAIL = 'Roll-ups and seals go by the transaction that wrote a transfer, and records by its time.',
        HINT = 'Leave txid and created_at to their defaults.',
        TABLE = TG_TABLE_NAME;
END;
$$;
COMMENT ON FUNCTION transfers_refer_to_rows() IS 'Trigger of transfers: both holders exist in its currency and differ, clients among them have their entries of it (SQLSTATE TW023), it is of this transaction and its time (TW013), and takes back no more than another has moved (TW019, TW020).';
CREATE TRIGGER transfers_refer_to_rows
    AFTER INSERT ON transfers
    REFERENCING NEW TABLE AS new_transfers
    FOR EACH STATEMENT EXECUTE FUNCTION transfers_refer_to_rows();

-- The refusal of a wallet that is not active.
CREATE FUNCTION refuse_wallet_status(p_holder_id uuid, p_status text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF p_status = 'frozen' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW031',
            MESSAGE = format('wallet "%s" is frozen', p_holder_id),
            DETAIL = 'Money comes in, and holds that were made before are ended; nothing else leaves.',
            HINT = 'Have the wallet activated again.';
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'TW032',
        MESSAGE = format('wallet "%s" is closed', p_holder_id),
        DETAIL = 'A closed wallet is empty for ever.',
        HINT = 'Use another currency or another user.';
END;
$$;
COMMENT ON FUNCTION refuse_wallet_status(uuid, text) IS 'Refuses an operation on a frozen (TW031) or closed (TW032) wallet.';

-- Nothing changes in a closed wallet, and nothing but reversals and what holds give leaves a frozen one.
CREATE FUNCTION wallet_refuses(p_status text, p_effect text, p_reverses_id uuid) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT p_status = 'closed' OR (p_status = 'frozen' AND p_effect IN ('debit', 'reserve') AND p_reverses_id IS NULL)
$$;
COMMENT ON FUNCTION wallet_refuses(text, text, uuid) IS 'Whether a wallet of a status refuses an entry of an effect; what takes a movement back passes a frozen one.';

-- tradewright: ignore aggregate-across-currencies: all entries of a hold are in its wallet's currency
CREATE FUNCTION drawn_from(p_hold_id uuid) RETURNS numeric
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT sum(e.amount) FROM balance_ledger AS e WHERE e.hold_id = p_hold_id AND e.effect <> 'reserve'
$$;
COMMENT ON FUNCTION drawn_from(uuid) IS 'What entries have drawn from a hold: released and captured.';

-- An entry has the owner and currency of the one before it; only a holder's first is held against the
-- holder's own row. What the balances then say is held against the last entry, owner included. A session
-- that writes batches writes entries before balances: a wallet or account that has not moved yet says what
-- its last entry says, and was just locked, while that entry lies where no cache holds it. Any other session
-- writes an entry and the balance that it leads to in one statement.
CREATE FUNCTION entries_follow_each_other() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET enable_seqscan = off
SET enable_hashjoin = on
SET enable_nestloop = off
SET enable_bitmapscan = off
SET enable_sort = off AS $$
DECLARE
    v_is_batch boolean := coalesce(current_setting('tradewright.writes_batches', true) = 'on', false);
    v_id uuid;
    v_hold_id uuid;
    v_status text;
    v_adds_up boolean;
    v_is_orphan boolean;
    v_is_finer boolean;
    v_is_of_now boolean;
    v_has_balance boolean;
BEGIN
    IF v_is_batch THEN
        PERFORM
        FROM new_entries AS n
        LEFT JOIN new_entries AS e ON e.holder_id = n.holder_id AND e.version = n.version - 1
        LEFT JOIN (
            SELECT b.holder_id, b.version, b.available, b.reserved, b.user_id, b.currency, b.status::text
            FROM user_balances AS b
            WHERE b.holder_id = ANY(ARRAY(SELECT x.holder_id FROM new_entries AS x))
            UNION ALL
            SELECT a.id, a.version, a.balance, 0, a.user_id, a.currency, 'active'
            FROM accounts AS a
            WHERE a.id = ANY(ARRAY(SELECT x.holder_id FROM new_entries AS x))
            OFFSET 0
        ) AS w ON w.holder_id = n.holder_id AND w.version = n.version - 1
        LEFT JOIN (
            SELECT f.id, f.transaction_id, f.operation, f.debit_holder_id, f.credit_holder_id, f.amount
            FROM transfers AS f
            WHERE f.id = ANY(ARRAY(SELECT x.transfer_id FROM new_entries AS x))
            OFFSET 0
        ) AS t ON t.id = n.transfer_id
        LEFT JOIN currencies AS m ON m.code = n.currency
        WHERE (t.transaction_id, t.operation, t.amount) IS DISTINCT FROM (n.transaction_id, n.operation, n.amount)
           OR t.operation IN ('wallet_to_account', 'account_to_wallet', 'wallet_to_wallet', 'account_to_account')
           OR n.holder_id <> CASE n.effect WHEN 'credit' THEN t.credit_holder_id ELSE t.debit_holder_id END
           OR n.hold_id IS NOT NULL
           OR w.status <> 'active'
           OR n.created_at < transaction_timestamp()
           OR n.created_at > clock_timestamp()
           OR scale(trim_scale(n.amount)) > m.minor_units
           OR entry_adds_up(
               n.effect, n.amount, n.available_before, n.available_after, n.reserved_before, n.reserved_after,
               n.transfer_id, n.hold_id
           ) IS NOT TRUE
           OR (
               coalesce(e.available_after, w.available),
               coalesce(e.reserved_after, w.reserved),
               coalesce(e.user_id, w.user_id),
               coalesce(e.currency, w.currency)
           ) IS DISTINCT FROM (n.available_before, n.reserved_before, n.user_id, n.currency);
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    SELECT n.holder_id INTO v_id
    FROM new_entries AS n
    LEFT JOIN LATERAL (
        SELECT b.available_after, b.reserved_after, b.user_id, b.currency
        FROM balance_ledger AS b
        WHERE b.holder_id = n.holder_id AND b.version = n.version - 1
        OFFSET 0
    ) AS before ON true
    LEFT JOIN LATERAL (SELECT c.minor_units FROM currencies AS c WHERE c.code = n.currency OFFSET 0) AS m ON true
    LEFT JOIN LATERAL (
        SELECT f.transaction_id, f.operation, f.debit_holder_id, f.credit_holder_id, f.amount
        FROM transfers AS f
        WHERE f.id = n.transfer_id
        OFFSET 0
    ) AS t ON true
    LEFT JOIN LATERAL (
        SELECT o.holder_id, o.amount - o.remaining AS drawn FROM balance_holds AS o WHERE o.id = n.hold_id OFFSET 0
    ) AS h ON true
    -- An account is no wallet: what is said of one is looked at again below.
    LEFT JOIN LATERAL (
        SELECT u.version, u.status FROM user_balances AS u WHERE u.holder_id = n.holder_id OFFSET 0
    ) AS w ON true
    WHERE (before.available_after, before.reserved_after, before.user_id, before.currency)
          IS DISTINCT FROM (n.available_before, n.reserved_before, n.user_id, n.currency)
       OR scale(trim_scale(n.amount)) > m.minor_units
       OR (
           n.transfer_id IS NOT NULL
           AND (
               (t.amount, t.transaction_id) IS DISTINCT FROM (n.amount, n.transaction_id)
               OR n.holder_id <> CASE n.effect WHEN 'credit' THEN t.credit_holder_id ELSE t.debit_holder_id END
               OR n.operation <> CASE
                   WHEN t.operation NOT IN ('wallet_to_account', 'account_to_wallet', 'wallet_to_wallet', 'account_to_account')
                       THEN t.operation
                   WHEN n.effect = 'credit' THEN 'transfer_in'
                   ELSE 'transfer_out'
               END
           )
       )
       OR (
           n.hold_id IS NOT NULL
           AND (h.holder_id IS DISTINCT FROM n.holder_id OR (n.effect <> 'reserve' AND h.drawn <> drawn_from(n.hold_id)))
       )
       OR entry_adds_up(
           n.effect, n.amount, n.available_before, n.available_after, n.reserved_before, n.reserved_after,
           n.transfer_id, n.hold_id
       ) IS NOT TRUE
       OR w.status <> 'active'
       OR n.created_at < transaction_timestamp()
       OR n.created_at > clock_timestamp()
       OR NOT (v_is_batch OR (n.version <= w.version) IS TRUE);
    IF v_id IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT
        n.holder_id,
        (coalesce(before.user_id, first.user_id), coalesce(before.currency, first.currency))
            IS DISTINCT FROM (n.user_id, n.currency)
            OR (n.transfer_id IS NOT NULL AND t.id IS NULL)
            OR (n.hold_id IS NOT NULL AND h.id IS NULL),
        entry_adds_up(
            n.effect, n.amount, n.available_before, n.available_after, n.reserved_before, n.reserved_after,
            n.transfer_id, n.hold_id
        ),
        scale(trim_scale(n.amount)) > m.minor_units,
        n.created_at BETWEEN transaction_timestamp() AND clock_timestamp(),
        CASE WHEN wallet_refuses(held.status, n.effect, t.reverses_id) THEN held.status END,
        CASE WHEN n.effect <> 'reserve' AND h.drawn <> drawn_from(n.hold_id) THEN n.hold_id END,
        v_is_batch OR n.version <= held.version
    INTO v_id, v_is_orphan, v_adds_up, v_is_finer, v_is_of_now, v_status, v_hold_id, v_has_balance
    FROM new_entries AS n
    LEFT JOIN LATERAL (
        SELECT b.version, b.available_after, b.reserved_after, b.user_id, b.currency
        FROM balance_ledger AS b
        WHERE b.holder_id = n.holder_id AND b.version = nullif(n.version - 1, 0)
        OFFSET 0
    ) AS before ON true
    LEFT JOIN LATERAL (
        SELECT b.user_id, b.currency
        FROM (
            SELECT w.user_id, w.currency FROM user_balances AS w WHERE w.holder_id = n.holder_id
            UNION ALL
            SELECT a.user_id, a.currency FROM accounts AS a WHERE a.id = n.holder_id
        ) AS b
        WHERE before.version IS NULL
        LIMIT 1
    ) AS first ON true
    LEFT JOIN LATERAL (SELECT c.minor_units FROM currencies AS c WHERE c.code = n.currency OFFSET 0) AS m ON true
    LEFT JOIN LATERAL (
        SELECT f.id, f.transaction_id, f.operation, f.debit_holder_id, f.credit_holder_id, f.amount, f.reverses_id
        FROM transfers AS f
        WHERE f.id = n.transfer_id
        OFFSET 0
    ) AS t
        ON t.amount = n.amount
        AND t.transaction_id = n.transaction_id
        AND n.holder_id = CASE n.effect WHEN 'credit' THEN t.credit_holder_id ELSE t.debit_holder_id END
        AND n.operation = CASE
            WHEN t.operation NOT IN ('wallet_to_account', 'account_to_wallet', 'wallet_to_wallet', 'account_to_account')
                THEN t.operation
            WHEN n.effect = 'credit' THEN 'transfer_in'
            ELSE 'transfer_out'
        END
    LEFT JOIN LATERAL (
        SELECT o.id, o.amount - o.remaining AS drawn
        FROM balance_holds AS o
        WHERE o.id = n.hold_id AND o.holder_id = n.holder_id
        OFFSET 0
    ) AS h ON true
    LEFT JOIN LATERAL (
        SELECT w.version, w.status::text FROM user_balances AS w WHERE w.holder_id = n.holder_id
        UNION ALL
        SELECT a.version, 'active' FROM accounts AS a WHERE a.id = n.holder_id
    ) AS held ON true
    WHERE coalesce(before.user_id, first.user_id) IS DISTINCT FROM n.user_id
       OR coalesce(before.currency, first.currency) IS DISTINCT FROM n.currency
       OR (n.transfer_id IS NOT NULL AND t.id IS NULL)
       OR (n.hold_id IS NOT NULL AND h.id IS NULL)
       OR (n.version > 1) <> (before.version IS NOT NULL)
       OR n.available_before <> coalesce(before.available_after, 0)
       OR n.reserved_before <> coalesce(before.reserved_after, 0)
       OR scale(trim_scale(n.amount)) > m.minor_units
       OR entry_adds_up(
           n.effect, n.amount, n.available_before, n.available_after, n.reserved_before, n.reserved_after,
           n.transfer_id, n.hold_id
       ) IS NOT TRUE
       OR n.created_at < transaction_timestamp()
       OR n.created_at > clock_timestamp()
       OR wallet_refuses(held.status, n.effect, t.reverses_id)
       OR (n.effect <> 'reserve' AND h.drawn <> drawn_from(n.hold_id))
       OR NOT (v_is_batch OR n.version <= held.version);
    IF v_id IS NULL THEN
        RETURN NULL;
    END IF;
    IF v_is_orphan THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('an entry of holder "%s" refers to a user, currency, transfer or hold that is not the holder''s', v_id),
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'balance_ledger_holder_exists';
    ELSIF v_adds_up IS NOT TRUE THEN
        RAISE check_violation USING
            MESSAGE = format('an entry of holder "%s" does not add up', v_id),
            DETAIL = 'Its amount leads from the balances before to those after, by a transfer, a hold, or both.',
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'balance_ledger_after_follows_from_before';
    ELSIF v_is_finer THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW017',
            MESSAGE = format('an entry of holder "%s" is finer than the smallest unit of its currency', v_id),
            DETAIL = 'Amounts finer than the smallest unit are refused, never rounded.',
            HINT = 'Round it yourself.',
            TABLE = TG_TABLE_NAME;
    ELSIF NOT v_is_of_now THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW013',
            MESSAGE = format('an entry of holder "%s" says that it was made at another time', v_id),
            DETAIL = 'What a holder had at an instant is found by the times of its entries.',
            HINT = 'Leave created_at to its default.',
            TABLE = TG_TABLE_NAME;
    ELSIF v_status IS NOT NULL THEN
        PERFORM refuse_wallet_status(v_id, v_status);
    ELSIF v_hold_id IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW013',
            MESSAGE = format('an entry draws on hold "%s", which does not change', v_hold_id),
            DETAIL = 'A hold says what remains of it, and its entries say how it came to that.',
            HINT = 'Write the entry and the hold in one statement, as the ledger''s functions do.',
            TABLE = TG_TABLE_NAME;
    ELSIF NOT v_has_balance THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW013',
            MESSAGE = format('an entry of holder "%s" stands without its balance', v_id),
            DETAIL = 'An entry and the balance that it leads to are written by one statement.',
            HINT = 'Move money with the ledger''s functions or its batch.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'TW013',
        MESSAGE = format('balance of holder "%s" cannot change without its ledger entries', v_id),
        DETAIL = 'A balance is what the last row in balance_ledger says, and each entry begins where the one before ended.',
        HINT = 'Move money with the ledger''s functions or its batch.',
        TABLE = TG_TABLE_NAME;
END;
$$;
COMMENT ON FUNCTION entries_follow_each_other() IS 'Trigger of balance_ledger: each entry adds up, begins where the one before ended, is of this time, has its balance, which a batch writes next, and its hold has become as much less (SQLSTATE TW013); is no finer than its currency (TW017), of a wallet that lets it through (TW031, TW032); holder, user, currency, transfer and hold belong together.';
CREATE TRIGGER balance_ledger_follows_itself
    AFTER INSERT ON balance_ledger
    REFERENCING NEW TABLE AS new_entries
    FOR EACH STATEMENT EXECUTE FUNCTION entries_follow_each_other();

CREATE TRIGGER transfers_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER balance_ledger_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON balance_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER user_balances_are_kept
    BEFORE DELETE OR TRUNCATE ON user_balances
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER user_balances_keep_their_key
    BEFORE UPDATE OF user_id, currency, holder_id ON user_balances
    FOR EACH ROW WHEN (
        (OLD.user_id, OLD.currency, OLD.holder_id) IS DISTINCT FROM (NEW.user_id, NEW.currency, NEW.holder_id)
    )
    EXECUTE FUNCTION refuse_new_key();
CREATE TRIGGER balance_holds_keep_their_key
    BEFORE UPDATE OF id, holder_id, purpose, amount, expires_at ON balance_holds
    FOR EACH ROW WHEN (
        (OLD.id, OLD.holder_id, OLD.purpose, OLD.amount, OLD.expires_at)
        IS DISTINCT FROM (NEW.id, NEW.holder_id, NEW.purpose, NEW.amount, NEW.expires_at)
    )
    EXECUTE FUNCTION refuse_new_key();
CREATE TRIGGER balance_holds_are_kept
    BEFORE DELETE OR TRUNCATE ON balance_holds
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A balance is what the holder's last entry says, and no entry is newer. Older entries are not asked for:
-- a server reads all of a page that it is allowed to, and one page may be full of one holder's entries.
CREATE FUNCTION account_balances_follow_their_entries() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET enable_seqscan = off
SET enable_bitmapscan = off AS $$
DECLARE
    v_id uuid;
BEGIN
    SELECT n.id INTO v_id
    FROM new_accounts AS n
    LEFT JOIN LATERAL (
        SELECT e.version, e.available_after, e.user_id, e.currency
        FROM balance_ledger AS e
        WHERE e.holder_id = n.id AND e.version >= n.version
        ORDER BY e.version DESC
        LIMIT 1
    ) AS last ON true
    WHERE n.version <> coalesce(last.version, 0)
       OR n.balance <> coalesce(last.available_after, 0)
       OR n.user_id <> last.user_id
       OR n.currency <> last.currency;
    IF v_id IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW013',
            MESSAGE = format('balance of account "%s" cannot change without its ledger entries', v_id),
            DETAIL = 'A balance is what the last row in balance_ledger says, and each entry begins where the one before ended.',
            HINT = 'Move money with the ledger''s functions or its batch.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION account_balances_follow_their_entries() IS 'Trigger of accounts: refuses a balance that is not what its last entry says (SQLSTATE TW013).';
CREATE TRIGGER accounts_update_follows_entries
    AFTER UPDATE ON accounts
    REFERENCING NEW TABLE AS new_accounts
    FOR EACH STATEMENT EXECUTE FUNCTION account_balances_follow_their_entries();

CREATE FUNCTION wallet_balances_follow_their_entries() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET enable_seqscan = off
SET enable_bitmapscan = off AS $$
DECLARE
    v_id uuid;
BEGIN
    SELECT n.holder_id INTO v_id
    FROM new_wallets AS n
    LEFT JOIN LATERAL (
        SELECT e.version, e.available_after, e.reserved_after, e.user_id, e.currency
        FROM balance_ledger AS e
        WHERE e.holder_id = n.holder_id AND e.version >= n.version
        ORDER BY e.version DESC
        LIMIT 1
    ) AS last ON true
    WHERE n.version <> coalesce(last.version, 0)
       OR n.available <> coalesce(last.available_after, 0)
       OR n.reserved <> coalesce(last.reserved_after, 0)
       OR n.user_id <> last.user_id
       OR n.currency <> last.currency;
    IF v_id IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW013',
            MESSAGE = format('balance of wallet "%s" cannot change without its ledger entries', v_id),
            DETAIL = 'A balance is what the last row in balance_ledger says, and each entry begins where the one before ended.',
            HINT = 'Move money with the ledger''s functions or its batch.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION wallet_balances_follow_their_entries() IS 'Trigger of user_balances: refuses a balance that is not what its last entry says (SQLSTATE TW013).';
CREATE TRIGGER user_balances_update_follows_entries
    AFTER UPDATE ON user_balances
    REFERENCING NEW TABLE AS new_wallets
    FOR EACH STATEMENT EXECUTE FUNCTION wallet_balances_follow_their_entries();

-- A batch writes its wallets at the places at which it locked them. Nothing else moves a row that is
-- locked, but an earlier statement of the same transaction may: its wallet is not there any more.
CREATE FUNCTION require_balances_written(p_written bigint, p_meant integer) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF p_written IS DISTINCT FROM p_meant THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW013',
            MESSAGE = format('%s of %s wallets of a batch are not where they were locked', p_meant - p_written, p_meant),
            DETAIL = 'An earlier statement of the transaction has changed them, so their entries would have no balance.',
            HINT = 'Write a batch once, straight after its wallets are locked.',
            TABLE = 'user_balances';
    END IF;
END;
$$;
COMMENT ON FUNCTION require_balances_written(bigint, integer) IS 'Raises SQLSTATE TW013 where a batch has found fewer of its wallets than it has locked.';

-- A wallet changes its status only with the record of who did it and why, and closes empty.
CREATE FUNCTION wallet_status_follows_its_changes() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM wallet_status_changes AS c
        WHERE c.holder_id = NEW.holder_id
          AND (c.from_status, c.to_status) = (OLD.status, NEW.status)
          AND c.seq = (SELECT max(seq) FROM wallet_status_changes WHERE holder_id = NEW.holder_id)
    ) OR (NEW.status = 'closed' AND (NEW.available, NEW.reserved) <> (0, 0)) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW013',
            MESSAGE = format('status of wallet "%s" cannot go from %s to %s', NEW.holder_id, OLD.status, NEW.status),
            DETAIL = 'A status is what the last row in wallet_status_changes says, and a closed wallet is empty.',
            HINT = 'Change it with set_wallet_status.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION wallet_status_follows_its_changes() IS 'Trigger of user_balances: refuses a status without its record, and the closing of a wallet with money (SQLSTATE TW013).';
CREATE TRIGGER user_balances_status_follows_changes
    AFTER UPDATE OF status ON user_balances
    FOR EACH ROW WHEN (OLD.status <> NEW.status)
    EXECUTE FUNCTION wallet_status_follows_its_changes();

CREATE TRIGGER wallet_status_changes_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON wallet_status_changes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A hold is a wallet's and moves only together with its entries, in the same statement.
CREATE FUNCTION holds_follow_their_entries() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET enable_seqscan = off
SET enable_bitmapscan = off AS $$
DECLARE
    v_id uuid;
    v_is_wallet boolean;
    v_is_expired boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- Nothing has been drawn from a new hold: one entry is all that it has.
        SELECT n.id INTO v_id
        FROM new_holds AS n
        LEFT JOIN LATERAL (
            SELECT b.holder_id FROM user_balances AS b WHERE b.holder_id = n.holder_id OFFSET 0
        ) AS w ON true
        LEFT JOIN LATERAL (
            SELECT l.holder_id, l.amount
            FROM balance_ledger AS l
            WHERE l.hold_id = n.id AND l.effect = 'reserve'
            OFFSET 0
        ) AS e ON true
        WHERE w.holder_id IS NULL
           OR n.expires_at <= n.created_at
           OR (n.holder_id, n.amount, n.remaining) IS DISTINCT FROM (e.holder_id, e.amount, e.amount);
        IF v_id IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    SELECT n.id, w.holder_id IS NOT NULL, n.expires_at <= n.created_at INTO v_id, v_is_wallet, v_is_expired
    FROM new_holds AS n
    LEFT JOIN LATERAL (
        SELECT b.holder_id FROM user_balances AS b WHERE b.holder_id = n.holder_id OFFSET 0
    ) AS w ON true
    LEFT JOIN LATERAL (
        SELECT
            sum(e.amount) FILTER (WHERE e.effect = 'reserve') AS reserved,
            coalesce(sum(e.amount) FILTER (WHERE e.effect <> 'reserve'), 0) AS drawn
        FROM balance_ledger AS e
        WHERE e.hold_id = n.id AND e.holder_id = n.holder_id
    ) AS entries ON true
    WHERE w.holder_id IS NULL
       OR n.expires_at <= n.created_at
       OR n.amount IS DISTINCT FROM entries.reserved
       OR n.remaining IS DISTINCT FROM entries.reserved - entries.drawn;
    IF v_id IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT v_is_wallet THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('hold "%s" refers to a wallet that does not exist', v_id),
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'balance_holds_wallet_exists';
    ELSIF v_is_expired THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW040',
            MESSAGE = format('hold "%s" expires before it begins', v_id),
            DETAIL = 'A hold that has expired is given back and captured no longer.',
            HINT = 'Give an instant in the future, or none.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'TW013',
        MESSAGE = format('hold "%s" cannot change without its ledger entries', v_id),
        DETAIL = 'What was set aside, released and captured stands in balance_ledger, entry by entry.',
        HINT = 'Move money with the ledger''s functions.',
        TABLE = TG_TABLE_NAME;
END;
$$;
COMMENT ON FUNCTION holds_follow_their_entries() IS 'Trigger of balance_holds: a hold is a wallet''s and what balance_ledger says of it (SQLSTATE TW013), and expires after it begins (TW040).';
CREATE TRIGGER balance_holds_insert_follows_entries
    AFTER INSERT ON balance_holds
    REFERENCING NEW TABLE AS new_holds
    FOR EACH STATEMENT EXECUTE FUNCTION holds_follow_their_entries();
CREATE TRIGGER balance_holds_update_follows_entries
    AFTER UPDATE ON balance_holds
    REFERENCING NEW TABLE AS new_holds
    FOR EACH STATEMENT EXECUTE FUNCTION holds_follow_their_entries();

-- A holder starts empty: money arrives by transfer only.
CREATE FUNCTION refuse_opening_balance() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'TW013',
        MESSAGE = format('a row of "%s" cannot be opened with money in it', TG_TABLE_NAME),
        DETAIL = 'A new holder has balance zero and version zero.',
        HINT = 'Open it empty, then credit it.',
        TABLE = TG_TABLE_NAME;
END;
$$;
COMMENT ON FUNCTION refuse_opening_balance() IS 'Trigger of holders: refuses a row that is inserted with money (SQLSTATE TW013).';
CREATE TRIGGER accounts_open_empty
    BEFORE INSERT ON accounts
    FOR EACH ROW WHEN (NEW.balance <> 0 OR NEW.version <> 0)
    EXECUTE FUNCTION refuse_opening_balance();
CREATE TRIGGER user_balances_open_empty
    BEFORE INSERT ON user_balances
    FOR EACH ROW WHEN (NEW.available <> 0 OR NEW.reserved <> 0 OR NEW.version <> 0 OR NEW.status <> 'active')
    EXECUTE FUNCTION refuse_opening_balance();

CREATE TYPE ledger_reply AS (
    holder_id uuid,
    version bigint,
    available numeric(20, 8),
    reserved numeric(20, 8),
    hold_id uuid,
    is_replay boolean
);
COMMENT ON TYPE ledger_reply IS 'What every ledger function answers: the holder after the operation; is_replay when it had been done before.';

-- Refuses an amount that is not a positive finite number of the currency's own scale. Parameter
-- types do not do it: the precision of a numeric parameter is ignored, and NaN is larger than zero.
CREATE FUNCTION check_ledger_amount(p_amount numeric, p_currency text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    v_minor_units smallint;
BEGIN
    SELECT minor_units INTO v_minor_units FROM currencies WHERE code = p_currency;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW004',
            MESSAGE = format('unknown currency "%s"', p_currency),
            DETAIL = 'A currency is written with its code in capitals and must stand in currencies.',
            HINT = 'Use a code of the table currencies.';
    END IF;
    IF p_amount IS NULL OR p_amount IN ('NaN', 'Infinity', '-Infinity') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW001',
            MESSAGE = format('amount %s %s is not a finite number', coalesce(p_amount::text, 'NULL'), p_currency),
            DETAIL = 'NaN, infinite and missing amounts move nothing.',
            HINT = 'Give a number above zero.';
    END IF;
    IF p_amount <= 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW016',
            MESSAGE = format('amount %s %s is not positive', trim_scale(p_amount), p_currency),
            DETAIL = 'The direction of money is said by the function, not by a sign.',
            HINT = 'Give an amount above zero.';
    END IF;
    IF p_amount >= 1e12 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW018',
            MESSAGE = format('amount %s %s is too large', trim_scale(p_amount), p_currency),
            DETAIL = 'An amount has at most twelve digits before the point.',
            HINT = 'Give at most 999999999999.99999999.';
    END IF;
    IF scale(trim_scale(p_amount)) > v_minor_units THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW017',
            MESSAGE = format('amount %s %s has more than %s decimals', trim_scale(p_amount), p_currency, v_minor_units),
            DETAIL = 'Amounts finer than the smallest unit are refused, never rounded.',
            HINT = format('Round it to %s decimals yourself.', v_minor_units);
    END IF;
END;
$$;
COMMENT ON FUNCTION check_ledger_amount(numeric, text) IS 'Refuses amounts that are not positive, finite, below 1e12 and within the currency''s scale (TW001, TW016, TW017, TW018, TW004).';

-- Returns the house's holder of that name and currency, opening it at the first use.
CREATE FUNCTION house_holder(p_code text, p_currency text) RETURNS uuid
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_id uuid;
BEGIN
    SELECT id INTO v_id FROM house_accounts WHERE code = p_code AND currency = p_currency;
    IF FOUND THEN
        RETURN v_id;
    END IF;
    LOCK TABLE house_accounts IN SHARE ROW EXCLUSIVE MODE;
    SELECT id INTO v_id FROM house_accounts WHERE code = p_code AND currency = p_currency;
    IF NOT FOUND THEN
        INSERT INTO ledger_holders (kind, currency) VALUES ('house', p_currency) RETURNING id INTO v_id;
        INSERT INTO house_accounts (id, code, currency) VALUES (v_id, p_code, p_currency);
    END IF;
    RETURN v_id;
END;
$$;
COMMENT ON FUNCTION house_holder(text, text) IS 'Holder id of a house account, opened at the first use.';

-- Who finds a wallet locked waits in line for it here. A row alone wakes each of those who wait twice, first in its
-- queue and then for the transaction that holds it, and lets it read the row again; a table wakes one. Who holds a
-- row already does not stand in line: it might wait for who waits behind it.
CREATE TABLE wallet_queues (
    last_digit text CONSTRAINT wallet_queues_last_digit_present NOT NULL,
    CONSTRAINT wallet_queues_pkey PRIMARY KEY (last_digit),
    CONSTRAINT wallet_queues_empty CHECK (false)
) PARTITION BY LIST (last_digit);
CREATE TABLE wallet_queues_0 PARTITION OF wallet_queues FOR VALUES IN ('0');
CREATE TABLE wallet_queues_1 PARTITION OF wallet_queues FOR VALUES IN ('1');
CREATE TABLE wallet_queues_2 PARTITION OF wallet_queues FOR VALUES IN ('2');
CREATE TABLE wallet_queues_3 PARTITION OF wallet_queues FOR VALUES IN ('3');
CREATE TABLE wallet_queues_4 PARTITION OF wallet_queues FOR VALUES IN ('4');
CREATE TABLE wallet_queues_5 PARTITION OF wallet_queues FOR VALUES IN ('5');
CREATE TABLE wallet_queues_6 PARTITION OF wallet_queues FOR VALUES IN ('6');
CREATE TABLE wallet_queues_7 PARTITION OF wallet_queues FOR VALUES IN ('7');
CREATE TABLE wallet_queues_8 PARTITION OF wallet_queues FOR VALUES IN ('8');
CREATE TABLE wallet_queues_9 PARTITION OF wallet_queues FOR VALUES IN ('9');
CREATE TABLE wallet_queues_a PARTITION OF wallet_queues FOR VALUES IN ('a');
CREATE TABLE wallet_queues_b PARTITION OF wallet_queues FOR VALUES IN ('b');
CREATE TABLE wallet_queues_c PARTITION OF wallet_queues FOR VALUES IN ('c');
CREATE TABLE wallet_queues_d PARTITION OF wallet_queues FOR VALUES IN ('d');
CREATE TABLE wallet_queues_e PARTITION OF wallet_queues FOR VALUES IN ('e');
CREATE TABLE wallet_queues_f PARTITION OF wallet_queues FOR VALUES IN ('f');
COMMENT ON TABLE wallet_queues IS 'Without rows for ever: calls that wait for a wallet lock the partition of the last digit of its user''s id, one at a time.';
COMMENT ON COLUMN wallet_queues.last_digit IS 'Last hexadecimal digit of a user''s id.';

CREATE FUNCTION queue_for_wallet(p_user_id uuid) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF pg_current_xact_id_if_assigned() IS NULL THEN
        EXECUTE format('LOCK TABLE %I IN EXCLUSIVE MODE', 'wallet_queues_' || right(p_user_id::text, 1));
    END IF;
END;
$$;
COMMENT ON FUNCTION queue_for_wallet(uuid) IS 'Waits in line for the wallets of a user, to the end of the transaction; not where the transaction has written or locked a row.';

-- Returns the wallet's row, locked; opens the wallet first when p_open says so. A row that does
-- not exist cannot be locked, so it is inserted first; of two first credits one waits here.
CREATE FUNCTION lock_wallet(p_user_id uuid, p_currency text, p_open boolean) RETURNS user_balances
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_wallet user_balances;
    v_holder_id uuid;
BEGIN
    SELECT * INTO v_wallet FROM user_balances
    WHERE user_id = p_user_id AND currency = p_currency
    FOR NO KEY UPDATE SKIP LOCKED;
    IF FOUND THEN
        RETURN v_wallet;
    END IF;
    PERFORM queue_for_wallet(p_user_id);
    SELECT * INTO v_wallet FROM user_balances
    WHERE user_id = p_user_id AND currency = p_currency
    FOR NO KEY UPDATE;
    IF NOT FOUND AND p_open THEN
        INSERT INTO user_balances (user_id, currency) VALUES (p_user_id, p_currency)
        ON CONFLICT (user_id, currency) DO NOTHING
        RETURNING holder_id INTO v_holder_id;
        IF v_holder_id IS NOT NULL THEN
            INSERT INTO ledger_holders (id, kind, currency) VALUES (v_holder_id, 'wallet', p_currency);
        END IF;
        SELECT * INTO v_wallet FROM user_balances
        WHERE user_id = p_user_id AND currency = p_currency
        FOR NO KEY UPDATE;
    END IF;
    RETURN v_wallet;
END;
$$;
COMMENT ON FUNCTION lock_wallet(uuid, text, boolean) IS 'The wallet of a user in a currency, locked; opened first when asked; NULL when there is none.';

-- Finds what the same transaction did before under the same operation. Called with the holder
-- locked, so equal calls wait for each other and the later ones are answered from here. Whatever
-- the caller gave is compared: amount, holder, hold, the house's side, the purpose and with it the expiry.
CREATE FUNCTION replayed_entry(
    p_transaction_id uuid, p_operation text, p_holder_id uuid, p_amount numeric,
    p_hold_id uuid DEFAULT NULL, p_house text DEFAULT NULL, p_purpose text DEFAULT NULL,
    p_expires_at timestamptz DEFAULT NULL
) RETURNS ledger_reply
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    v_entry balance_ledger;
BEGIN
    IF p_transaction_id IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW009',
            MESSAGE = 'transaction id is missing',
            DETAIL = 'Every operation carries the caller''s key, so that a repeated call is done once.',
            HINT = 'Give a UUID and keep it for repeats.';
    END IF;
    SELECT * INTO v_entry FROM balance_ledger
    WHERE transaction_id = p_transaction_id AND operation = p_operation;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF v_entry.holder_id <> p_holder_id OR v_entry.amount <> p_amount
       OR (p_hold_id IS NOT NULL AND v_entry.hold_id <> p_hold_id)
       OR (p_house IS NOT NULL AND NOT EXISTS (
           SELECT FROM transfers AS t
           JOIN house_accounts AS a ON a.id IN (t.debit_holder_id, t.credit_holder_id)
           WHERE t.id = v_entry.transfer_id AND a.code = p_house
       ))
       OR (p_purpose IS NOT NULL AND NOT EXISTS (
           SELECT FROM balance_holds AS h
           WHERE h.id = v_entry.hold_id AND h.purpose = p_purpose AND h.expires_at IS NOT DISTINCT FROM p_expires_at
       )) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW002',
            MESSAGE = format('transaction "%s" has already done "%s" with other contents', p_transaction_id, p_operation),
            DETAIL = format('It moved %s %s of holder "%s".', trim_scale(v_entry.amount), v_entry.currency, v_entry.holder_id),
            HINT = 'Use a new transaction id for a new movement.';
    END IF;
    RETURN (v_entry.holder_id, v_entry.version, v_entry.available_after, v_entry.reserved_after, v_entry.hold_id, true)::ledger_reply;
END;
$$;
COMMENT ON FUNCTION replayed_entry(uuid, text, uuid, numeric, uuid, text, text, timestamptz) IS 'The reply given before to the same transaction and operation; NULL when new; TW002 when its contents differ, TW009 without a transaction id.';

CREATE FUNCTION replayed_movement(
    p_wallet user_balances, p_amount numeric, p_transaction_id uuid, p_operation text, p_other_id uuid, p_hold_id uuid
) RETURNS ledger_reply
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN replayed_entry(
        p_transaction_id, p_operation, p_wallet.holder_id, p_amount, p_hold_id,
        (SELECT code FROM house_accounts WHERE id = p_other_id)
    );
END;
$$;
COMMENT ON FUNCTION replayed_movement(user_balances, numeric, uuid, text, uuid, uuid) IS 'As replayed_entry, for a movement of a wallet to or from p_other_id.';

-- The refusal of an entry after which a wallet would hold too little or too much.
CREATE FUNCTION refuse_wallet_money(p_wallet user_balances, p_available numeric, p_reserved numeric, p_amount numeric)
RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF p_available < 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW003',
            MESSAGE = format(
                'wallet holds %s %s available, %s are needed',
                trim_scale(p_wallet.available), p_wallet.currency, trim_scale(p_amount)
            ),
            DETAIL = format('Another %s %s are reserved.', trim_scale(p_wallet.reserved), p_wallet.currency),
            HINT = 'Deposit more, release a hold, or ask for less.';
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'TW007',
        MESSAGE = format(
            'wallet would hold %s %s, more than can be kept',
            trim_scale(greatest(p_available, p_reserved)), p_wallet.currency
        ),
        DETAIL = 'A balance has at most twelve digits before the point.',
        HINT = 'Split the amount over several currencies or users.';
END;
$$;
COMMENT ON FUNCTION refuse_wallet_money(user_balances, numeric, numeric, numeric) IS 'Refuses a wallet that would go below zero (TW003) or hold more than can be kept (TW007).';

-- Writes one entry of a locked wallet, with what causes it, and moves its balance, in one statement:
-- the transfer to or from p_other_id if that is given, and what is drawn from a hold. The entry comes
-- first: if its transaction has done the operation before, nothing is written and that is answered.
CREATE FUNCTION post_wallet_entry(
    p_wallet user_balances, p_effect text, p_amount numeric, p_transaction_id uuid, p_operation text,
    p_other_id uuid, p_hold_id uuid DEFAULT NULL, p_reverses_id uuid DEFAULT NULL
) RETURNS ledger_reply
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_available numeric := p_wallet.available;
    v_reserved numeric := p_wallet.reserved;
    v_reply ledger_reply;
BEGIN
    CASE p_effect
        WHEN 'credit' THEN
            v_available := v_available + p_amount;
        WHEN 'debit' THEN
            v_available := v_available - p_amount;
        WHEN 'release' THEN
            v_available := v_available + p_amount;
            v_reserved := v_reserved - p_amount;
        WHEN 'capture' THEN
            v_reserved := v_reserved - p_amount;
    END CASE;
    IF v_available < 0 OR v_available >= 1e12 THEN
        v_reply := replayed_movement(p_wallet, p_amount, p_transaction_id, p_operation, p_other_id, p_hold_id);
        IF v_reply.holder_id IS NULL THEN
            PERFORM refuse_wallet_money(p_wallet, v_available, v_reserved, p_amount);
        END IF;
        RETURN v_reply;
    END IF;
    IF p_hold_id IS NULL THEN
        WITH entry AS (
            INSERT INTO balance_ledger (
                holder_id, version, user_id, currency, transaction_id, operation, effect, amount,
                available_before, available_after, reserved_before, reserved_after, transfer_id
            ) VALUES (
                p_wallet.holder_id, p_wallet.version + 1, p_wallet.user_id, p_wallet.currency, p_transaction_id,
                p_operation, p_effect, p_amount, p_wallet.available, v_available, p_wallet.reserved, v_reserved,
                uuidv7()
            )
            ON CONFLICT ON CONSTRAINT balance_ledger_transaction_once DO NOTHING
            RETURNING transfer_id
        ), transfer AS (
            INSERT INTO transfers (
                id, transaction_id, operation, debit_holder_id, credit_holder_id, currency, amount, reverses_id
            )
            SELECT
                e.transfer_id,
                p_transaction_id,
                p_operation,
                CASE p_effect WHEN 'credit' THEN p_other_id ELSE p_wallet.holder_id END,
                CASE p_effect WHEN 'credit' THEN p_wallet.holder_id ELSE p_other_id END,
                p_wallet.currency,
                p_amount,
                p_reverses_id
            FROM entry AS e
        )
        UPDATE user_balances
        SET available = v_available, version = version + 1, updated_at = clock_timestamp()
        WHERE user_id = p_wallet.user_id AND currency = p_wallet.currency AND EXISTS (SELECT FROM entry);
    ELSE
        WITH entry AS (
            INSERT INTO balance_ledger (
                holder_id, version, user_id, currency, transaction_id, operation, effect, amount,
                available_before, available_after, reserved_before, reserved_after, transfer_id, hold_id
            ) VALUES (
                p_wallet.holder_id, p_wallet.version + 1, p_wallet.user_id, p_wallet.currency, p_transaction_id,
                p_operation, p_effect, p_amount, p_wallet.available, v_available, p_wallet.reserved, v_reserved,
                CASE WHEN p_other_id IS NOT NULL THEN uuidv7() END, p_hold_id
            )
            ON CONFLICT ON CONSTRAINT balance_ledger_transaction_once DO NOTHING
            RETURNING transfer_id, hold_id
        ), transfer AS (
            INSERT INTO transfers (
                id, transaction_id, operation, debit_holder_id, credit_holder_id, currency, amount
            )
            SELECT
                e.transfer_id, p_transaction_id, p_operation, p_wallet.holder_id, p_other_id, p_wallet.currency, p_amount
            FROM entry AS e
            WHERE p_other_id IS NOT NULL
        ), hold AS (
            UPDATE balance_holds AS h
            SET remaining = h.remaining - p_amount, updated_at = clock_timestamp()
            FROM entry AS e
            WHERE h.id = e.hold_id
        )
        UPDATE user_balances
        SET available = v_available, reserved = v_reserved, version = version + 1, updated_at = clock_timestamp()
        WHERE user_id = p_wallet.user_id AND currency = p_wallet.currency AND EXISTS (SELECT FROM entry);
    END IF;
    IF NOT FOUND THEN
        RETURN replayed_movement(p_wallet, p_amount, p_transaction_id, p_operation, p_other_id, p_hold_id);
    END IF;
    RETURN (p_wallet.holder_id, p_wallet.version + 1, v_available, v_reserved, p_hold_id, false)::ledger_reply;
END;
$$;
COMMENT ON FUNCTION post_wallet_entry(user_balances, text, numeric, uuid, text, uuid, uuid, uuid) IS 'Writes one entry of a locked wallet with its transfer and what it draws from a hold, and moves its balance; TW003 when it would go below zero. What was done before is answered, and nothing is written.';

-- Whether a wallet gives an amount for what its owner begins: its status first, then what the caller
-- made a condition. Too little money is told by what writes the entry.
CREATE FUNCTION check_wallet_gives(
    p_wallet user_balances, p_amount numeric, p_min_available numeric, p_expected_version bigint
) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF p_wallet.status <> 'active' THEN
        PERFORM refuse_wallet_status(p_wallet.holder_id, p_wallet.status);
    END IF;
    IF p_wallet.version <> p_expected_version THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW033',
            MESSAGE = format('wallet is at version %s, %s is expected', p_wallet.version, p_expected_version),
            DETAIL = 'Money has moved since the version was read.',
            HINT = 'Read the wallet again and decide anew.';
    END IF;
    IF p_wallet.available >= p_amount AND p_wallet.available - p_amount < p_min_available THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW036',
            MESSAGE = format(
                'wallet would keep %s %s available, %s must stay',
                trim_scale(p_wallet.available - p_amount), p_wallet.currency, trim_scale(p_min_available)
            ),
            DETAIL = 'The caller set a least amount that stays available.',
            HINT = 'Ask for less.';
    END IF;
END;
$$;
COMMENT ON FUNCTION check_wallet_gives(user_balances, numeric, numeric, bigint) IS 'Refuses what leaves a frozen (TW031) or closed (TW032) wallet, one of another version (TW033), or one that would keep too little (TW036).';

CREATE FUNCTION write_transfer(
    p_transaction_id uuid, p_operation text, p_debit_holder_id uuid, p_credit_holder_id uuid, p_currency text,
    p_amount numeric
) RETURNS uuid
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_id uuid := uuidv7();
BEGIN
    INSERT INTO transfers (
        id, transaction_id, operation, debit_holder_id, credit_holder_id, currency, amount
    ) VALUES (
        v_id, p_transaction_id, p_operation, p_debit_holder_id, p_credit_holder_id, p_currency, p_amount
    );
    RETURN v_id;
END;
$$;
COMMENT ON FUNCTION write_transfer(uuid, text, uuid, uuid, text, numeric) IS 'Writes one row of transfers and returns its id.';

CREATE FUNCTION refuse_receivables(p_wallet user_balances, p_amount numeric, p_why text) RETURNS uuid
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'TW043',
        MESSAGE = format('house account receivables cannot move %s %s', trim_scale(p_amount), p_wallet.currency),
        DETAIL = format('It lends and gets back only what clients owe: %s.', p_why),
        HINT = 'Use another house account.';
END;
$$;
COMMENT ON FUNCTION refuse_receivables(user_balances, numeric, text) IS 'Refuses to move money of the house account of receivables without a debt (TW043).';

-- The table and the house account of its name move together: a loan is noted before it is paid out, and
-- what is paid back is taken from the oldest debts first. The wallet is locked, and so are its owner's debts.
CREATE FUNCTION receivables_holder(
    p_wallet user_balances, p_amount numeric, p_transaction_id uuid, p_operation text
) RETURNS uuid
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_paid numeric;
BEGIN
    IF p_operation = 'credit' THEN
        PERFORM refuse_receivables(p_wallet, p_amount, format('no debt "%s" of this amount is noted', p_transaction_id))
        WHERE NOT EXISTS (
            SELECT
            FROM receivables AS r
            WHERE r.id = p_transaction_id
              AND (r.user_id, r.currency, r.amount) = (p_wallet.user_id, p_wallet.currency, p_amount)
        );
    ELSIF NOT EXISTS (
        SELECT FROM balance_ledger WHERE transaction_id = p_transaction_id AND operation = p_operation
    ) THEN
        WITH owed AS (
            SELECT r.id, r.remaining, sum(r.remaining) OVER (ORDER BY r.id) AS up_to
            FROM receivables AS r
            WHERE r.user_id = p_wallet.user_id AND r.currency = p_wallet.currency AND r.remaining > 0
        ), paid AS (
            UPDATE receivables AS r
            SET remaining = greatest(o.up_to - p_amount, 0), updated_at = clock_timestamp()
            FROM owed AS o
            WHERE o.id = r.id AND o.up_to - o.remaining < p_amount
            RETURNING o.remaining - r.remaining AS amount
        )
        SELECT coalesce(sum(amount), 0) INTO v_paid FROM paid;
        IF v_paid < p_amount THEN
            RETURN refuse_receivables(p_wallet, p_amount, format('%s %s are owed', trim_scale(v_paid), p_wallet.currency));
        END IF;
    END IF;
    RETURN house_holder('receivables', p_wallet.currency);
END;
$$;
COMMENT ON FUNCTION receivables_holder(user_balances, numeric, uuid, text) IS 'Holder id of the house account of receivables, for a credit that a noted debt stands behind, or for a debit, which pays the oldest debts; else TW043.';

-- The house account that a call names and has not found at once: it is opened, or it is not for everybody.
CREATE FUNCTION called_house_holder(
    p_wallet user_balances, p_house text, p_amount numeric, p_transaction_id uuid, p_operation text
) RETURNS uuid
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF p_house = 'receivables' THEN
        RETURN receivables_holder(p_wallet, p_amount, p_transaction_id, p_operation);
    END IF;
    RETURN house_holder(p_house, p_wallet.currency);
END;
$$;
COMMENT ON FUNCTION called_house_holder(user_balances, text, numeric, uuid, text) IS 'Holder id of the house account that a credit or debit names, opened at the first use; TW043 for receivables without a debt.';

-- The three calls that are made most ask for what they need in as few steps as they can: the functions
-- that refuse, open or replay are called only where there is something to refuse, open or replay. The lock is asked
-- for by a statement of its own: who has waited for a row begins its whole statement anew.
CREATE FUNCTION credit_user_balance(
    p_user_id uuid, p_currency text, p_amount numeric, p_transaction_id uuid, p_house text DEFAULT 'clearing'
) RETURNS ledger_reply
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_units smallint;
    v_house_id uuid;
    v_wallet user_balances;
    v_reply ledger_reply;
BEGIN
    SELECT c.minor_units, h.id INTO v_units, v_house_id
    FROM currencies AS c
    LEFT JOIN house_accounts AS h ON h.code = p_house AND h.code <> 'receivables' AND h.currency = c.code
    WHERE c.code = p_currency;
    SELECT * INTO v_wallet
    FROM user_balances
    WHERE user_id = p_user_id AND currency = p_currency
    FOR NO KEY UPDATE SKIP LOCKED;
    IF (p_amount > 0 AND p_amount < 1e12 AND scale(trim_scale(p_amount)) <= v_units AND FOUND) IS NOT TRUE THEN
        PERFORM check_ledger_amount(p_amount, p_currency);
        v_wallet := lock_wallet(p_user_id, p_currency, true);
    END IF;
    IF p_transaction_id IS NULL OR v_wallet.status = 'closed' THEN
        v_reply := replayed_entry(p_transaction_id, 'credit', v_wallet.holder_id, p_amount, p_house => p_house);
        IF v_reply.holder_id IS NULL THEN
            PERFORM refuse_wallet_status(v_wallet.holder_id, v_wallet.status);
        END IF;
        RETURN v_reply;
    END IF;
    RETURN post_wallet_entry(
        v_wallet, 'credit', p_amount, p_transaction_id, 'credit',
        coalesce(v_house_id, called_house_holder(v_wallet, p_house, p_amount, p_transaction_id, 'credit'))
    );
END;
$$;
COMMENT ON FUNCTION credit_user_balance(uuid, text, numeric, uuid, text) IS 'Moves money from the house to a wallet, opening it at the first credit.';

CREATE FUNCTION debit_user_balance(
    p_user_id uuid, p_currency text, p_amount numeric, p_transaction_id uuid, p_house text DEFAULT 'clearing',
    p_min_available numeric DEFAULT NULL, p_expected_version bigint DEFAULT NULL
) RETURNS ledger_reply
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_units smallint;
    v_house_id uuid;
    v_wallet user_balances;
    v_reply ledger_reply;
BEGIN
    SELECT c.minor_units, h.id INTO v_units, v_house_id
    FROM currencies AS c
    LEFT JOIN house_accounts AS h ON h.code = p_house AND h.code <> 'receivables' AND h.currency = c.code
    WHERE c.code = p_currency;
    SELECT * INTO v_wallet
    FROM user_balances
    WHERE user_id = p_user_id AND currency = p_currency
    FOR NO KEY UPDATE SKIP LOCKED;
    IF (p_amount > 0 AND p_amount < 1e12 AND scale(trim_scale(p_amount)) <= v_units AND FOUND) IS NOT TRUE THEN
        PERFORM check_ledger_amount(p_amount, p_currency);
        v_wallet := existing_wallet(p_user_id, p_currency, p_amount);
    END IF;
    IF p_transaction_id IS NULL OR v_wallet.status <> 'active'
       OR p_min_available IS NOT NULL OR p_expected_version IS NOT NULL THEN
        v_reply := replayed_entry(p_transaction_id, 'debit', v_wallet.holder_id, p_amount, p_house => p_house);
        IF v_reply.holder_id IS NOT NULL THEN
            RETURN v_reply;
        END IF;
        PERFORM check_wallet_gives(v_wallet, p_amount, p_min_available, p_expected_version);
    END IF;
    RETURN post_wallet_entry(
        v_wallet, 'debit', p_amount, p_transaction_id, 'debit',
        coalesce(v_house_id, called_house_holder(v_wallet, p_house, p_amount, p_transaction_id, 'debit'))
    );
END;
$$;
COMMENT ON FUNCTION debit_user_balance(uuid, text, numeric, uuid, text, numeric, bigint) IS 'Moves available money from a wallet to the house.';

-- A wallet that must be there: one that is not holds nothing.
CREATE FUNCTION existing_wallet(p_user_id uuid, p_currency text, p_amount numeric) RETURNS user_balances
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_wallet user_balances := lock_wallet(p_user_id, p_currency, false);
BEGIN
    IF v_wallet.holder_id IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW003',
            MESSAGE = format('wallet holds 0 %s available, %s are needed', p_currency, trim_scale(p_amount)),
            DETAIL = format('User "%s" has no wallet in %s.', p_user_id, p_currency),
            HINT = 'Deposit first.';
    END IF;
    RETURN v_wallet;
END;
$$;
COMMENT ON FUNCTION existing_wallet(uuid, text, numeric) IS 'The wallet, locked; TW003 when the user has none.';

CREATE FUNCTION reserve_user_balance(
    p_user_id uuid, p_currency text, p_amount numeric, p_transaction_id uuid, p_purpose text,
    p_expires_at timestamptz DEFAULT NULL, p_min_available numeric DEFAULT NULL, p_expected_version bigint DEFAULT NULL
) RETURNS ledger_reply
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_units smallint;
    v_wallet user_balances;
    v_reply ledger_reply;
    v_hold_id uuid := uuidv7();
    v_available numeric;
    v_reserved numeric;
BEGIN
    SELECT minor_units INTO v_units FROM currencies WHERE code = p_currency;
    SELECT * INTO v_wallet
    FROM user_balances
    WHERE user_id = p_user_id AND currency = p_currency
    FOR NO KEY UPDATE SKIP LOCKED;
    IF (p_amount > 0 AND p_amount < 1e12 AND scale(trim_scale(p_amount)) <= v_units AND FOUND) IS NOT TRUE THEN
        PERFORM check_ledger_amount(p_amount, p_currency);
        v_wallet := existing_wallet(p_user_id, p_currency, p_amount);
    END IF;
    v_available := v_wallet.available - p_amount;
    v_reserved := v_wallet.reserved + p_amount;
    IF p_transaction_id IS NULL OR v_wallet.status <> 'active' OR v_available < 0 OR v_reserved >= 1e12
       OR p_min_available IS NOT NULL OR p_expected_version IS NOT NULL OR p_expires_at <= clock_timestamp() THEN
        v_reply := replayed_entry(
            p_transaction_id, 'reserve', v_wallet.holder_id, p_amount,
            p_purpose => p_purpose, p_expires_at => p_expires_at
        );
        IF v_reply.holder_id IS NOT NULL THEN
            RETURN v_reply;
        END IF;
        IF p_expires_at <= clock_timestamp() THEN
            RAISE EXCEPTION USING
                ERRCODE = 'TW040',
                MESSAGE = format('a hold cannot expire at %s, which has passed', p_expires_at),
                DETAIL = 'A hold that has expired is given back and captured no longer.',
                HINT = 'Give an instant in the future, or none.';
        END IF;
        PERFORM check_wallet_gives(v_wallet, p_amount, p_min_available, p_expected_version);
        IF v_available < 0 OR v_reserved >= 1e12 THEN
            PERFORM refuse_wallet_money(v_wallet, v_available, v_reserved, p_amount);
        END IF;
    END IF;
    WITH entry AS (
        INSERT INTO balance_ledger (
            holder_id, version, user_id, currency, transaction_id, operation, effect, amount,
            available_before, available_after, reserved_before, reserved_after, hold_id
        ) VALUES (
            v_wallet.holder_id, v_wallet.version + 1, v_wallet.user_id, v_wallet.currency, p_transaction_id,
            'reserve', 'reserve', p_amount, v_wallet.available, v_available, v_wallet.reserved, v_reserved, v_hold_id
        )
        ON CONFLICT ON CONSTRAINT balance_ledger_transaction_once DO NOTHING
        RETURNING hold_id
    ), hold AS (
        -- An expiry that passes in between does not come before the beginning.
        INSERT INTO balance_holds (id, holder_id, purpose, amount, remaining, created_at, expires_at)
        SELECT
            e.hold_id, v_wallet.holder_id, p_purpose, p_amount, p_amount,
            least(clock_timestamp(), p_expires_at - interval '1 microsecond'), p_expires_at
        FROM entry AS e
    )
    UPDATE user_balances
    SET available = v_available, reserved = v_reserved, version = version + 1, updated_at = clock_timestamp()
    WHERE user_id = v_wallet.user_id AND currency = v_wallet.currency AND EXISTS (SELECT FROM entry);
    IF NOT FOUND THEN
        RETURN replayed_entry(
            p_transaction_id, 'reserve', v_wallet.holder_id, p_amount,
            p_purpose => p_purpose, p_expires_at => p_expires_at
        );
    END IF;
    RETURN (v_wallet.holder_id, v_wallet.version + 1, v_available, v_reserved, v_hold_id, false)::ledger_reply;
END;
$$;
COMMENT ON FUNCTION reserve_user_balance(uuid, text, numeric, uuid, text, timestamptz, numeric, bigint) IS 'Sets available money of a wallet aside for a purpose, until an instant if one is given; answers the hold''s id.';

-- The wallet of a hold, locked before the hold itself.
CREATE FUNCTION lock_wallet_of_hold(p_hold_id uuid) RETURNS user_balances
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_wallet user_balances;
BEGIN
    SELECT w.* INTO v_wallet
    FROM user_balances AS w
    WHERE w.holder_id = (SELECT h.holder_id FROM balance_holds AS h WHERE h.id = p_hold_id)
    FOR NO KEY UPDATE SKIP LOCKED;
    IF FOUND THEN
        RETURN v_wallet;
    END IF;
    SELECT l.* INTO v_wallet
    FROM balance_holds AS h
    JOIN user_balances AS w ON w.holder_id = h.holder_id
    CROSS JOIN LATERAL lock_wallet(w.user_id, w.currency, false) AS l
    WHERE h.id = p_hold_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW006',
            MESSAGE = format('hold "%s" does not exist', p_hold_id),
            DETAIL = 'Only an existing hold can be released or captured.',
            HINT = 'Use the hold_id that reserve_user_balance answered.';
    END IF;
    RETURN v_wallet;
END;
$$;
COMMENT ON FUNCTION lock_wallet_of_hold(uuid) IS 'The wallet that a hold belongs to, locked; TW006 when there is no such hold.';

-- What is drawn from a hold whose wallet is locked: p_amount, or all that remains where it is NULL.
CREATE FUNCTION drawn_amount(p_hold_id uuid, p_amount numeric, p_currency text) RETURNS numeric
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_remaining numeric;
    v_amount numeric;
BEGIN
    IF p_amount IS NOT NULL THEN
        PERFORM check_ledger_amount(p_amount, p_currency);
    END IF;
    SELECT remaining INTO v_remaining FROM balance_holds WHERE id = p_hold_id FOR NO KEY UPDATE;
    v_amount := coalesce(p_amount, v_remaining);
    IF v_remaining = 0 OR v_amount > v_remaining THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW006',
            MESSAGE = format(
                'hold "%s" has %s left, %s are asked for', p_hold_id, trim_scale(v_remaining), trim_scale(v_amount)
            ),
            DETAIL = CASE WHEN v_remaining = 0 THEN 'The hold has ended.' ELSE 'A hold gives at most what remains of it.' END,
            HINT = 'Ask for at most what is left.';
    END IF;
    RETURN v_amount;
END;
$$;
COMMENT ON FUNCTION drawn_amount(uuid, numeric, text) IS 'What an open hold gives of an amount, or all of it; TW006 when less remains.';

CREATE FUNCTION release_user_balance(p_hold_id uuid, p_transaction_id uuid, p_amount numeric DEFAULT NULL)
RETURNS ledger_reply
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_wallet user_balances := lock_wallet_of_hold(p_hold_id);
    v_reply ledger_reply;
BEGIN
    v_reply := replayed_draw(p_transaction_id, 'release', v_wallet.holder_id, p_amount, p_hold_id, NULL);
    IF v_reply.holder_id IS NOT NULL THEN
        RETURN v_reply;
    END IF;
    RETURN post_wallet_entry(
        v_wallet, 'release', drawn_amount(p_hold_id, p_amount, v_wallet.currency), p_transaction_id, 'release', NULL, p_hold_id
    );
END;
$$;
COMMENT ON FUNCTION release_user_balance(uuid, uuid, numeric) IS 'Gives a hold, or part of it, back to the wallet''s available money.';

-- As replayed_entry, for calls that may leave the amount to the hold: such a repeat is answered
-- whatever amount the first call drew.
CREATE FUNCTION replayed_draw(
    p_transaction_id uuid, p_operation text, p_holder_id uuid, p_amount numeric, p_hold_id uuid, p_house text
) RETURNS ledger_reply
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT *
    FROM replayed_entry(
        p_transaction_id,
        p_operation,
        p_holder_id,
        coalesce(
            p_amount,
            (SELECT amount FROM balance_ledger WHERE transaction_id = p_transaction_id AND operation = p_operation)
        ),
        p_hold_id,
        p_house
    )
$$;
COMMENT ON FUNCTION replayed_draw(uuid, text, uuid, numeric, uuid, text) IS 'As replayed_entry, where a missing amount means all that remained.';

CREATE FUNCTION debit_reserved_balance(
    p_hold_id uuid, p_transaction_id uuid, p_amount numeric DEFAULT NULL, p_house text DEFAULT 'clearing'
) RETURNS ledger_reply
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_wallet user_balances := lock_wallet_of_hold(p_hold_id);
    v_reply ledger_reply;
    v_amount numeric;
BEGIN
    v_reply := replayed_draw(p_transaction_id, 'capture', v_wallet.holder_id, p_amount, p_hold_id, p_house);
    IF v_reply.holder_id IS NOT NULL THEN
        RETURN v_reply;
    END IF;
    IF EXISTS (SELECT FROM balance_holds WHERE id = p_hold_id AND expires_at <= clock_timestamp()) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW006',
            MESSAGE = format('hold "%s" has expired', p_hold_id),
            DETAIL = 'Money of an expired hold goes back to the wallet and nowhere else.',
            HINT = 'Set the money aside anew.';
    END IF;
    v_amount := drawn_amount(p_hold_id, p_amount, v_wallet.currency);
    RETURN post_wallet_entry(
        v_wallet, 'capture', v_amount, p_transaction_id, 'capture',
        CASE p_house
            WHEN 'receivables' THEN refuse_receivables(v_wallet, v_amount, 'nothing that was set aside pays a debt')
            ELSE house_holder(p_house, v_wallet.currency)
        END,
        p_hold_id
    );
END;
$$;
COMMENT ON FUNCTION debit_reserved_balance(uuid, uuid, numeric, text) IS 'Moves a hold, or part of it, to the house.';

-- Releases what remains of holds that have expired, at most p_count_max of them, wallet by wallet in
-- key order. Of a sweep and a capture at the same time one comes first under the wallet's lock. What
-- is refused of one hold (a wallet that would hold more than can be kept) is left to the next sweep and
-- holds up no other; the wallet's lock is taken outside the block that is given up, so that the order
-- of locks stays. Holds that are refused stay the oldest: p_skip_count of them are passed over.
CREATE FUNCTION expire_user_holds(
    p_count_max integer DEFAULT 1000, p_skip_count integer DEFAULT 0,
    OUT released_count integer, OUT refused_count integer, OUT refusal text
)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_hold record;
    v_wallet user_balances;
BEGIN
    released_count := 0;
    refused_count := 0;
    FOR v_hold IN
        SELECT due.id FROM (
            SELECT h.id, h.holder_id
            FROM balance_holds AS h
            WHERE h.remaining > 0 AND h.expires_at <= clock_timestamp()
            ORDER BY h.expires_at, h.id
            LIMIT p_count_max OFFSET p_skip_count
        ) AS due
        ORDER BY due.holder_id, due.id
    LOOP
        v_wallet := lock_wallet_of_hold(v_hold.id);
        CONTINUE WHEN NOT EXISTS (SELECT FROM balance_holds WHERE id = v_hold.id AND remaining > 0);
        BEGIN
            PERFORM release_user_balance(v_hold.id, uuidv7());
            released_count := released_count + 1;
        EXCEPTION WHEN OTHERS THEN
            IF left(SQLSTATE, 2) NOT IN ('TW', '23') THEN
                RAISE;
            END IF;
            refused_count := refused_count + 1;
            refusal := coalesce(refusal, format('hold "%s" cannot be given back: %s (%s)', v_hold.id, SQLERRM, SQLSTATE));
        END;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION expire_user_holds(integer, integer) IS 'Gives expired holds back to their wallets; returns how many, how many were refused, and why the first was.';

-- Takes a movement between a wallet and the house back, whole or in part. All reversals of one
-- movement together never pass it, because they are counted under the wallet's lock.
CREATE FUNCTION reverse_user_movement(
    p_reversed_id uuid, p_reversed_operation text, p_transaction_id uuid, p_amount numeric DEFAULT NULL
) RETURNS ledger_reply
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_original transfers;
    v_wallet user_balances;
    v_reply ledger_reply;
    v_left numeric;
    v_amount numeric;
BEGIN
    SELECT t.* INTO v_original
    FROM balance_ledger AS e
    JOIN transfers AS t ON t.id = e.transfer_id AND t.reverses_id IS NULL
    JOIN house_accounts AS h ON h.id IN (t.debit_holder_id, t.credit_holder_id) AND h.code <> 'receivables'
    WHERE e.transaction_id = p_reversed_id
      AND e.operation = p_reversed_operation
      AND e.operation NOT IN ('exchange_out', 'exchange_in');
    SELECT w.* INTO v_wallet
    FROM user_balances AS w
    WHERE w.holder_id IN (v_original.debit_holder_id, v_original.credit_holder_id)
    FOR NO KEY UPDATE;
    IF v_wallet.holder_id IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW019',
            MESSAGE = format('no movement "%s" of transaction "%s" can be reversed', p_reversed_operation, p_reversed_id),
            DETAIL = 'What can be reversed is a movement between a wallet and the house that is neither a reversal itself, nor one leg of an exchange, nor of a debt.',
            HINT = 'Give the transaction id and operation that moved the money.';
    END IF;
    IF p_amount IS NOT NULL THEN
        PERFORM check_ledger_amount(p_amount, v_wallet.currency);
    END IF;
    v_left := v_original.amount - (SELECT coalesce(sum(amount), 0) FROM transfers WHERE reverses_id = v_original.id);
    v_reply := replayed_draw(p_transaction_id, 'reversal', v_wallet.holder_id, p_amount, NULL, NULL);
    IF v_reply.holder_id IS NOT NULL THEN
        IF NOT EXISTS (SELECT FROM transfers WHERE transaction_id = p_transaction_id AND reverses_id = v_original.id) THEN
            RAISE EXCEPTION USING
                ERRCODE = 'TW002',
                MESSAGE = format('transaction "%s" has already reversed another movement', p_transaction_id),
                DETAIL = 'One transaction reverses one movement.',
                HINT = 'Use a new transaction id for a new reversal.';
        END IF;
        RETURN v_reply;
    END IF;
    v_amount := coalesce(p_amount, v_left);
    IF v_left = 0 OR v_amount > v_left THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW020',
            MESSAGE = format(
                '%s %s of the movement are left to reverse, %s are asked for',
                trim_scale(v_left), v_wallet.currency, trim_scale(v_amount)
            ),
            DETAIL = format('It moved %s %s.', trim_scale(v_original.amount), v_wallet.currency),
            HINT = 'Ask for at most what is left.';
    END IF;
    RETURN post_wallet_entry(
        v_wallet,
        CASE v_wallet.holder_id WHEN v_original.credit_holder_id THEN 'debit' ELSE 'credit' END,
        v_amount,
        p_transaction_id,
        'reversal',
        CASE v_wallet.holder_id
            WHEN v_original.credit_holder_id THEN v_original.debit_holder_id
            ELSE v_original.credit_holder_id
        END,
        p_reverses_id => v_original.id
    );
END;
$$;
COMMENT ON FUNCTION reverse_user_movement(uuid, text, uuid, numeric) IS 'Takes a movement between a wallet and the house back, whole or in part, linked to the original.';

-- Moves money between a locked wallet and a locked account of the same owner and currency: both entries,
-- their transfer and both balances in one statement. A positive amount goes to the account. Of two calls at
-- once under one transaction id, for different accounts, the later writes nothing and is refused (TW002).
CREATE FUNCTION post_to_account(
    p_wallet user_balances, p_account accounts, p_amount numeric, p_transaction_id uuid
) RETURNS ledger_reply
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_available numeric := p_wallet.available - p_amount;
    v_balance numeric := p_account.balance + p_amount;
BEGIN
    IF v_available < 0 OR v_available >= 1e12 THEN
        PERFORM refuse_wallet_money(p_wallet, v_available, p_wallet.reserved, p_amount);
    ELSIF abs(v_balance) >= 1e12 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW007',
            MESSAGE = format('account would hold %s %s, more than can be kept', trim_scale(v_balance), p_account.currency),
            DETAIL = 'A balance has at most twelve digits before the point.',
            HINT = 'Split the amount over several accounts.';
    END IF;
    WITH moved AS MATERIALIZED (
        SELECT uuidv7() AS id, abs(p_amount) AS amount, p_amount > 0 AS is_paid_in
    ), entry AS (
        INSERT INTO balance_ledger (
            holder_id, version, user_id, currency, transaction_id, operation, effect, amount,
            available_before, available_after, reserved_before, reserved_after, transfer_id
        )
        SELECT
            h.holder_id,
            h.version + 1,
            h.user_id,
            p_account.currency,
            p_transaction_id,
            CASE WHEN h.receives THEN 'transfer_in' ELSE 'transfer_out' END,
            CASE WHEN h.receives THEN 'credit' ELSE 'debit' END,
            m.amount,
            h.available_before,
            h.available_after,
            h.reserved,
            h.reserved,
            m.id
        FROM moved AS m
        CROSS JOIN LATERAL (
            VALUES
                (
                    p_wallet.holder_id, p_wallet.version, p_wallet.user_id, NOT m.is_paid_in,
                    p_wallet.available, v_available, p_wallet.reserved
                ),
                (
                    p_account.id, p_account.version, p_account.user_id, m.is_paid_in,
                    p_account.balance, v_balance, 0
                )
        ) AS h (holder_id, version, user_id, receives, available_before, available_after, reserved)
        ON CONFLICT ON CONSTRAINT balance_ledger_transaction_once DO NOTHING
        RETURNING holder_id
    ), transfer AS (
        INSERT INTO transfers (
            id, transaction_id, operation, debit_holder_id, credit_holder_id, currency, amount
        )
        SELECT
            m.id,
            p_transaction_id,
            CASE WHEN m.is_paid_in THEN 'wallet_to_account' ELSE 'account_to_wallet' END,
            CASE WHEN m.is_paid_in THEN p_wallet.holder_id ELSE p_account.id END,
            CASE WHEN m.is_paid_in THEN p_account.id ELSE p_wallet.holder_id END,
            p_account.currency,
            m.amount
        FROM moved AS m
        WHERE EXISTS (SELECT FROM entry)
    ), wallet AS (
        UPDATE user_balances
        SET available = v_available, version = version + 1, updated_at = clock_timestamp()
        WHERE user_id = p_wallet.user_id AND currency = p_wallet.currency AND EXISTS (SELECT FROM entry)
    )
    UPDATE accounts
    SET balance = v_balance, version = version + 1, updated_at = clock_timestamp()
    WHERE id = p_account.id AND EXISTS (SELECT FROM entry);
    IF NOT FOUND THEN
        RETURN replayed_entry(
            p_transaction_id, CASE WHEN p_amount > 0 THEN 'transfer_in' ELSE 'transfer_out' END, p_account.id, abs(p_amount)
        );
    END IF;
    RETURN (p_account.id, p_account.version + 1, v_balance, 0, NULL, false)::ledger_reply;
END;
$$;
COMMENT ON FUNCTION post_to_account(user_balances, accounts, numeric, uuid) IS 'Moves money from a locked wallet to a locked account of its owner, or back where the amount is negative; TW003 or TW007 for a balance that cannot be.';

-- The account of a transfer, locked. Its status is asked for later: a call that is repeated after
-- the account was suspended still gets the answer that it had before.
CREATE FUNCTION lock_account(p_account_id uuid) RETURNS accounts
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_account accounts;
BEGIN
    SELECT * INTO v_account FROM accounts WHERE id = p_account_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW062',
            MESSAGE = format('account "%s" does not exist', p_account_id),
            DETAIL = 'No trading account has this id.',
            HINT = 'Check the account''s id.';
    END IF;
    RETURN v_account;
END;
$$;
COMMENT ON FUNCTION lock_account(uuid) IS 'The trading account, locked; TW062 when it is missing.';

CREATE FUNCTION require_active_account(p_account accounts) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_owner_status text := (SELECT u.status FROM users AS u WHERE u.id = p_account.user_id);
BEGIN
    IF p_account.status <> 'active' OR v_owner_status <> 'active' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW005',
            MESSAGE = CASE
                WHEN p_account.status <> 'active' THEN format('account "%s" is %s', p_account.id, p_account.status)
                ELSE format('the owner of account "%s" is %s', p_account.id, v_owner_status)
            END,
            DETAIL = 'Money moves in and out of active accounts of active users only.',
            HINT = 'Reinstate the account or its owner first.';
    END IF;
END;
$$;
COMMENT ON FUNCTION require_active_account(accounts) IS 'Refuses an account that, or whose owner, is suspended or closed (TW005).';

-- Moves available money from the owner's wallet to a trading account.
CREATE FUNCTION transfer_to_account(p_account_id uuid, p_amount numeric, p_transaction_id uuid) RETURNS ledger_reply
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_wallet user_balances;
    v_account accounts;
    v_reply ledger_reply;
BEGIN
    SELECT * INTO v_account FROM accounts WHERE id = p_account_id;
    PERFORM check_ledger_amount(p_amount, v_account.currency) WHERE v_account.id IS NOT NULL;
    IF v_account.id IS NOT NULL THEN
        v_wallet := existing_wallet(v_account.user_id, v_account.currency, p_amount);
    END IF;
    v_account := lock_account(p_account_id);
    v_reply := replayed_entry(p_transaction_id, 'transfer_in', v_account.id, p_amount);
    IF v_reply.holder_id IS NOT NULL THEN
        RETURN v_reply;
    END IF;
    PERFORM require_active_account(v_account);
    IF v_wallet.status <> 'active' THEN
        PERFORM refuse_wallet_status(v_wallet.holder_id, v_wallet.status);
    END IF;
    RETURN post_to_account(v_wallet, v_account, p_amount, p_transaction_id);
END;
$$;
COMMENT ON FUNCTION transfer_to_account(uuid, numeric, uuid) IS 'Moves available money from the owner''s wallet to a trading account.';

-- What may leave an account beside what is open in it depends on prices, which the engine knows and the database
-- does not; p_or ends the hints with another way, if there is one.
CREATE FUNCTION require_nothing_at_risk(p_account accounts, p_or text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM positions WHERE account_id = p_account.id AND is_open) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW008',
            MESSAGE = format('account "%s" has open positions', p_account.id),
            DETAIL = 'What may leave beside an open position depends on prices.',
            HINT = format('Close the positions%s.', p_or);
    END IF;
    -- Its margin is promised: it may deal at any moment, and cannot be taken back by us.
    IF EXISTS (SELECT FROM orders WHERE account_id = p_account.id AND remaining_quantity > 0 AND is_routed) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW021',
            MESSAGE = format('account "%s" has an order with a provider', p_account.id),
            DETAIL = 'What may leave beside an order that may deal at any moment depends on prices.',
            HINT = format('Wait for the provider''s answer%s.', p_or);
    END IF;
    IF EXISTS (
        SELECT
        FROM orders AS o
        JOIN account_groups AS g ON g.code = p_account.group_code AND g.pending_margin <> 'none'
        WHERE o.account_id = p_account.id AND o.remaining_quantity > 0
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW022',
            MESSAGE = format('account "%s" has orders, which bind margin while they rest', p_account.id),
            DETAIL = 'What may leave beside an order that binds margin depends on prices.',
            HINT = format('Cancel the orders%s.', p_or);
    END IF;
END;
$$;
COMMENT ON FUNCTION require_nothing_at_risk(accounts, text) IS 'Refuses an account with open positions (TW008), orders in flight (TW021) or orders that bind margin while they rest (TW022).';

-- Moves money from a trading account back to the owner's wallet. Without open positions and orders in
-- flight only: what is free beside one depends on prices, which the engine knows and this does not.
CREATE FUNCTION transfer_to_wallet(p_account_id uuid, p_amount numeric, p_transaction_id uuid) RETURNS ledger_reply
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_wallet user_balances;
    v_account accounts;
    v_reply ledger_reply;
BEGIN
    SELECT * INTO v_account FROM accounts WHERE id = p_account_id;
    PERFORM check_ledger_amount(p_amount, v_account.currency) WHERE v_account.id IS NOT NULL;
    IF v_account.id IS NOT NULL THEN
        v_wallet := lock_wallet(v_account.user_id, v_account.currency, true);
    END IF;
    v_account := lock_account(p_account_id);
    v_reply := replayed_entry(p_transaction_id, 'transfer_out', v_account.id, p_amount);
    IF v_reply.holder_id IS NOT NULL THEN
        RETURN v_reply;
    END IF;
    PERFORM require_active_account(v_account);
    IF v_wallet.status = 'closed' THEN
        PERFORM refuse_wallet_status(v_wallet.holder_id, v_wallet.status);
    END IF;
    PERFORM require_nothing_at_risk(v_account, ', or let the engine book the transfer');
    IF v_account.balance < p_amount THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW003',
            MESSAGE = format(
                'account holds %s %s, %s are needed',
                trim_scale(v_account.balance), v_account.currency, trim_scale(p_amount)
            ),
            DETAIL = 'A transfer never overdraws an account.',
            HINT = 'Ask for at most the balance.';
    END IF;
    RETURN post_to_account(v_wallet, v_account, -p_amount, p_transaction_id);
END;
$$;
COMMENT ON FUNCTION transfer_to_wallet(uuid, numeric, uuid) IS 'Moves money from a trading account without open positions, orders in flight or orders that bind margin to the owner''s wallet.';

-- What the house lends an account for its margin is no money of the client's: it moves nowhere, has no entry in
-- the ledger, and its record is audit_log. The account's lock is that of each batch, so what a batch decides
-- by a credit is booked before that is taken back, or not at all.
CREATE FUNCTION grant_account_credit(p_account_id uuid, p_amount numeric) RETURNS numeric
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_account accounts := lock_account(p_account_id);
BEGIN
    PERFORM check_ledger_amount(p_amount, v_account.currency);
    PERFORM require_active_account(v_account);
    IF v_account.credit + p_amount >= 1e12 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW007',
            MESSAGE = format('account would be lent %s %s, more than can be kept', trim_scale(v_account.credit + p_amount), v_account.currency),
            DETAIL = 'A credit has at most twelve digits before the point.',
            HINT = 'Lend less.';
    END IF;
    UPDATE accounts SET credit = credit + p_amount WHERE id = p_account_id;
    RETURN v_account.credit + p_amount;
END;
$$;
COMMENT ON FUNCTION grant_account_credit(uuid, numeric) IS 'Lends an active account more for its margin and returns what it is lent in all; TW060 for a retail client.';

-- While nothing is open only: whether what is open can do without it depends on prices, which the engine knows
-- and this does not.
CREATE FUNCTION withdraw_account_credit(p_account_id uuid, p_amount numeric) RETURNS numeric
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_account accounts := lock_account(p_account_id);
BEGIN
    PERFORM check_ledger_amount(p_amount, v_account.currency);
    IF v_account.credit < p_amount THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW061',
            MESSAGE = format('account "%s" has a credit of %s %s, %s are asked back', p_account_id, trim_scale(v_account.credit), v_account.currency, trim_scale(p_amount)),
            DETAIL = 'No more can be taken back than was lent.',
            HINT = 'Ask for at most the credit.';
    END IF;
    PERFORM require_nothing_at_risk(v_account, '');
    UPDATE accounts SET credit = credit - p_amount WHERE id = p_account_id;
    RETURN v_account.credit - p_amount;
END;
$$;
COMMENT ON FUNCTION withdraw_account_credit(uuid, numeric) IS 'Takes credit back from an account without open positions, orders in flight or orders that bind margin, and returns what is left; TW061 for more than was lent.';

-- Whether a transaction has already given a locked wallet a status.
CREATE FUNCTION wallet_status_was_set(p_wallet user_balances, p_status text, p_transaction_id uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_change wallet_status_changes;
BEGIN
    SELECT * INTO v_change FROM wallet_status_changes WHERE transaction_id = p_transaction_id;
    IF NOT FOUND THEN
        RETURN false;
    ELSIF (v_change.holder_id, v_change.to_status) = (p_wallet.holder_id, p_status) THEN
        RETURN true;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'TW002',
        MESSAGE = format('transaction "%s" has already made a wallet %s', p_transaction_id, v_change.to_status),
        DETAIL = format('It was wallet "%s".', v_change.holder_id),
        HINT = 'Use a new transaction id for a new change.';
END;
$$;
COMMENT ON FUNCTION wallet_status_was_set(user_balances, text, uuid) IS 'Whether a transaction has given a wallet this status; TW002 where it has done another change.';

-- Changes what a wallet lets through, with who does it and why.
CREATE FUNCTION set_wallet_status(
    p_user_id uuid, p_currency text, p_status text, p_reason text, p_transaction_id uuid
) RETURNS ledger_reply
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_wallet user_balances := lock_wallet(p_user_id, p_currency, false);
    v_reply ledger_reply;
    v_payment_id uuid;
BEGIN
    IF v_wallet.holder_id IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW035',
            MESSAGE = format('user "%s" has no wallet in %s', p_user_id, p_currency),
            DETAIL = 'A wallet is opened by its first credit.',
            HINT = 'Check the user and the currency.';
    END IF;
    IF p_transaction_id IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW009',
            MESSAGE = 'transaction id is missing',
            DETAIL = 'Every operation carries the caller''s key, so that a repeated call is done once.',
            HINT = 'Give a UUID and keep it for repeats.';
    END IF;
    IF (length(trim(p_reason)) BETWEEN 1 AND 500) IS NOT TRUE THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW025',
            MESSAGE = format('reason of %s characters for a wallet''s status', coalesce(length(trim(p_reason)), 0)),
            DETAIL = 'Who reads the record later must learn why, in 1 to 500 characters.',
            HINT = 'Say why.';
    END IF;
    v_reply := (v_wallet.holder_id, v_wallet.version, v_wallet.available, v_wallet.reserved, NULL, false)::ledger_reply;
    IF wallet_status_was_set(v_wallet, p_status, p_transaction_id) THEN
        v_reply.is_replay := true;
        RETURN v_reply;
    END IF;
    IF ((v_wallet.status, p_status) IN (('active', 'frozen'), ('frozen', 'active'), ('active', 'closed'))) IS NOT TRUE
       OR (p_status = 'closed' AND (v_wallet.available, v_wallet.reserved) <> (0, 0)) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW034',
            MESSAGE = format('wallet "%s" cannot go from %s to %s', v_wallet.holder_id, v_wallet.status, p_status),
            DETAIL = format(
                'It holds %s %s available and %s reserved.',
                trim_scale(v_wallet.available), v_wallet.currency, trim_scale(v_wallet.reserved)
            ),
            HINT = 'Empty it before it is closed; activate it before it is closed; a closed one stays closed.';
    END IF;
    -- What is under way would come back to it, or arrive.
    SELECT p.id INTO v_payment_id
    FROM payment_transactions AS p
    WHERE p_status = 'closed' AND p.user_id = p_user_id AND p.currency = p_currency AND p.completed_at IS NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW034',
            MESSAGE = format('wallet "%s" cannot be closed while a payment has not ended', v_wallet.holder_id),
            DETAIL = format('It is payment "%s", whose money comes to the wallet or may come back to it.', v_payment_id),
            HINT = 'Wait for its end, or have an officer decide it.';
    END IF;
    INSERT INTO wallet_status_changes (holder_id, seq, transaction_id, from_status, to_status, reason)
    SELECT v_wallet.holder_id, coalesce(max(c.seq), 0) + 1, p_transaction_id, v_wallet.status, p_status, p_reason
    FROM wallet_status_changes AS c
    WHERE c.holder_id = v_wallet.holder_id
    ON CONFLICT ON CONSTRAINT wallet_status_changes_transaction_once DO NOTHING;
    IF NOT FOUND THEN
        v_reply.is_replay := wallet_status_was_set(v_wallet, p_status, p_transaction_id);
        RETURN v_reply;
    END IF;
    UPDATE user_balances SET status = p_status, updated_at = clock_timestamp() WHERE holder_id = v_wallet.holder_id;
    RETURN v_reply;
END;
$$;
COMMENT ON FUNCTION set_wallet_status(uuid, text, text, text, uuid) IS 'Freezes, activates or closes a wallet; TW034 for a step that is not allowed, or the closing of a wallet that is not empty or has a payment under way; TW025 without a reason.';

-- The key of one entry of a call for several holds: one call, one key, one entry for each hold. It tells the
-- hold's place among them and not the hold, so a call for other holds meets the keys of the first one.
CREATE FUNCTION hold_draw_id(p_transaction_id uuid, p_place bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
    SELECT md5(p_transaction_id::text || p_place::text)::uuid
$$;
COMMENT ON FUNCTION hold_draw_id(uuid, bigint) IS 'Transaction id of the entry of one hold in a call for several, by its place in key order, from one on.';

-- Locks the wallets of several holds in key order, before any of the holds, and returns the holds in that order.
-- What the key has done before was done with the same holds, all of them.
CREATE FUNCTION lock_wallets_of_holds(p_hold_ids uuid[], p_transaction_id uuid, p_operation text) RETURNS uuid[]
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_hold_ids uuid[] := ARRAY(SELECT DISTINCT h.id FROM unnest(p_hold_ids) AS h (id) ORDER BY h.id);
    v_done_ids uuid[];
BEGIN
    IF p_transaction_id IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW009',
            MESSAGE = 'transaction id is missing',
            DETAIL = 'Every operation carries the caller''s key, so that a repeated call is done once.',
            HINT = 'Give a UUID and keep it for repeats.';
    END IF;
    PERFORM FROM user_balances AS w
    WHERE w.holder_id IN (SELECT h.holder_id FROM balance_holds AS h WHERE h.id = ANY(v_hold_ids))
    ORDER BY w.holder_id
    FOR NO KEY UPDATE;
    v_done_ids := ARRAY(
        SELECT e.hold_id
        FROM balance_ledger AS e
        WHERE e.transaction_id = ANY(ARRAY(
                  SELECT hold_draw_id(p_transaction_id, n) FROM generate_series(1, cardinality(v_hold_ids) + 1) AS n
              ))
          AND e.operation = p_operation
        ORDER BY e.hold_id
    );
    IF v_done_ids NOT IN ('{}', v_hold_ids) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW002',
            MESSAGE = format('transaction "%s" has already done "%s" with other holds', p_transaction_id, p_operation),
            DETAIL = 'A call for several holds is repeated for the same holds, all of them.',
            HINT = 'Use a new transaction id for other holds.';
    END IF;
    RETURN v_hold_ids;
END;
$$;
COMMENT ON FUNCTION lock_wallets_of_holds(uuid[], uuid, text) IS 'Locks the wallets of holds in key order and returns the holds in theirs; TW009 without a transaction id, TW002 where it was used for other holds.';

CREATE FUNCTION release_user_holds(p_hold_ids uuid[], p_transaction_id uuid) RETURNS SETOF ledger_reply
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_hold_ids uuid[] := lock_wallets_of_holds(p_hold_ids, p_transaction_id, 'release');
BEGIN
    FOR n IN 1..cardinality(v_hold_ids) LOOP
        RETURN NEXT release_user_balance(v_hold_ids[n], hold_draw_id(p_transaction_id, n));
    END LOOP;
END;
$$;
COMMENT ON FUNCTION release_user_holds(uuid[], uuid) IS 'Gives all that remains of several holds back, or none of it.';

CREATE FUNCTION capture_user_holds(p_hold_ids uuid[], p_transaction_id uuid, p_house text DEFAULT 'clearing')
RETURNS SETOF ledger_reply
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_hold_ids uuid[] := lock_wallets_of_holds(p_hold_ids, p_transaction_id, 'capture');
BEGIN
    FOR n IN 1..cardinality(v_hold_ids) LOOP
        RETURN NEXT debit_reserved_balance(v_hold_ids[n], hold_draw_id(p_transaction_id, n), NULL, p_house);
    END LOOP;
END;
$$;
COMMENT ON FUNCTION capture_user_holds(uuid[], uuid, text) IS 'Moves all that remains of several holds to the house, or none of it.';

CREATE TABLE exchanges (
    transaction_id uuid
        CONSTRAINT exchanges_pkey PRIMARY KEY,
    from_holder_id uuid
        CONSTRAINT exchanges_from_holder_id_present NOT NULL
        CONSTRAINT exchanges_from_wallet_exists REFERENCES user_balances (holder_id) ON DELETE RESTRICT,
    to_holder_id uuid
        CONSTRAINT exchanges_to_holder_id_present NOT NULL
        CONSTRAINT exchanges_to_wallet_exists REFERENCES user_balances (holder_id) ON DELETE RESTRICT,
    from_amount numeric(20, 8)
        CONSTRAINT exchanges_from_amount_present NOT NULL
        CONSTRAINT exchanges_from_amount_positive CHECK (from_amount > 0 AND from_amount < 'Infinity'),
    to_amount numeric(20, 8)
        CONSTRAINT exchanges_to_amount_present NOT NULL
        CONSTRAINT exchanges_to_amount_positive CHECK (to_amount > 0 AND to_amount < 'Infinity'),
    mid_rate numeric(30, 15)
        CONSTRAINT exchanges_mid_rate_present NOT NULL
        CONSTRAINT exchanges_mid_rate_positive CHECK (mid_rate > 0 AND mid_rate < 'Infinity'),
    spread numeric(20, 9)
        CONSTRAINT exchanges_spread_present NOT NULL
        CONSTRAINT exchanges_spread_in_range CHECK (spread >= 0 AND spread < 1),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT exchanges_created_at_present NOT NULL,
    CONSTRAINT exchanges_wallets_differ CHECK (from_holder_id <> to_holder_id),
    -- Rounding is to the house's side: the client never gets more than the rate gives.
    CONSTRAINT exchanges_rounded_to_the_house CHECK (to_amount <= from_amount * mid_rate * (1 - spread))
);
COMMENT ON TABLE exchanges IS 'Exchanges between two wallets of a user, with the rate and the spread that they were made at. Append-only.';
COMMENT ON COLUMN exchanges.mid_rate IS 'Units of the currency received for one unit of the currency given, before the spread.';
COMMENT ON COLUMN exchanges.spread IS 'Share of the rate that the house keeps: 0.002 is 20 basis points.';
CREATE INDEX idx_exchanges_from_holder_id
    ON exchanges (from_holder_id);
CREATE INDEX idx_exchanges_to_holder_id
    ON exchanges (to_holder_id);
CREATE TRIGGER exchanges_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON exchanges
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What the currency received is worth at a rate: rounded down to its smallest unit.
CREATE FUNCTION exchanged_amount(p_amount numeric, p_mid_rate numeric, p_spread numeric, p_to_currency text) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    v_amount numeric;
BEGIN
    IF p_mid_rate IS NULL OR p_spread IS NULL OR NOT (p_mid_rate > 0 AND p_mid_rate < 1e15)
       OR NOT (p_spread >= 0 AND p_spread < 1) OR scale(trim_scale(p_mid_rate)) > 15 OR scale(trim_scale(p_spread)) > 9 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW038',
            MESSAGE = format('rate %s with spread %s cannot be exchanged at', p_mid_rate, p_spread),
            DETAIL = 'A rate is above zero with at most 15 decimals; a spread is at least 0 and below 1, with at most 9.',
            HINT = 'Give the middle rate and the house''s share of it.';
    END IF;
    SELECT trunc(p_amount * p_mid_rate * (1 - p_spread), minor_units) INTO v_amount
    FROM currencies WHERE code = p_to_currency;
    IF v_amount = 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW037',
            MESSAGE = format('%s is worth less than the smallest unit of %s', trim_scale(p_amount), p_to_currency),
            DETAIL = format('The rate is %s, the spread %s.', trim_scale(p_mid_rate), trim_scale(p_spread)),
            HINT = 'Exchange more.';
    END IF;
    PERFORM check_ledger_amount(coalesce(v_amount, 1), p_to_currency);
    RETURN v_amount;
END;
$$;
COMMENT ON FUNCTION exchanged_amount(numeric, numeric, numeric, text) IS 'What an amount gives in another currency, rounded down; TW037 when that is nothing, TW038 for a bad rate, TW004 for an unknown currency.';

-- Two transfers, one in each currency, both with the house's exchange account: each currency sums to
-- zero by itself. Both wallets are locked in key order before either moves.
CREATE FUNCTION exchange_user_balance(
    p_user_id uuid, p_from_currency text, p_to_currency text, p_amount numeric, p_mid_rate numeric, p_spread numeric,
    p_transaction_id uuid
) RETURNS ledger_reply
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_received numeric;
    v_from user_balances;
    v_to user_balances;
    v_reply ledger_reply;
BEGIN
    PERFORM check_ledger_amount(p_amount, p_from_currency);
    IF p_from_currency = p_to_currency THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW024',
            MESSAGE = format('%s cannot be exchanged into itself', p_from_currency),
            DETAIL = 'An exchange is between two wallets of a user, each of a currency of its own.',
            HINT = 'Name another currency.';
    END IF;
    v_received := exchanged_amount(p_amount, p_mid_rate, p_spread, p_to_currency);
    IF NOT EXISTS (SELECT FROM user_balances WHERE user_id = p_user_id AND currency = p_to_currency)
       AND EXISTS (SELECT FROM user_balances WHERE user_id = p_user_id AND currency = p_from_currency) THEN
        v_to := lock_wallet(p_user_id, p_to_currency, true);
    END IF;
    PERFORM FROM user_balances
    WHERE user_id = p_user_id AND currency IN (p_from_currency, p_to_currency)
    ORDER BY holder_id
    FOR NO KEY UPDATE;
    v_from := existing_wallet(p_user_id, p_from_currency, p_amount);
    v_to := lock_wallet(p_user_id, p_to_currency, false);
    v_reply := replayed_entry(p_transaction_id, 'exchange_out', v_from.holder_id, p_amount);
    IF v_reply.holder_id IS NOT NULL THEN
        IF NOT EXISTS (
            SELECT FROM exchanges
            WHERE transaction_id = p_transaction_id
              AND (to_holder_id, mid_rate, spread) = (v_to.holder_id, p_mid_rate, p_spread)
        ) THEN
            RAISE EXCEPTION USING
                ERRCODE = 'TW002',
                MESSAGE = format('transaction "%s" has already exchanged otherwise', p_transaction_id),
                DETAIL = 'Its currency, rate or spread was another.',
                HINT = 'Use a new transaction id for a new exchange.';
        END IF;
        RETURN replayed_entry(p_transaction_id, 'exchange_in', v_to.holder_id, v_received);
    END IF;
    PERFORM check_wallet_gives(v_from, p_amount, NULL, NULL);
    IF v_to.status = 'closed' THEN
        PERFORM refuse_wallet_status(v_to.holder_id, v_to.status);
    END IF;
    INSERT INTO exchanges (transaction_id, from_holder_id, to_holder_id, from_amount, to_amount, mid_rate, spread)
    VALUES (p_transaction_id, v_from.holder_id, v_to.holder_id, p_amount, v_received, p_mid_rate, p_spread)
    ON CONFLICT ON CONSTRAINT exchanges_pkey DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW002',
            MESSAGE = format('transaction "%s" has already exchanged for another user', p_transaction_id),
            DETAIL = 'Both calls came at once.',
            HINT = 'Use a new transaction id for a new exchange.';
    END IF;
    PERFORM post_wallet_entry(
        v_from, 'debit', p_amount, p_transaction_id, 'exchange_out', house_holder('exchange', p_from_currency)
    );
    RETURN post_wallet_entry(
        v_to, 'credit', v_received, p_transaction_id, 'exchange_in', house_holder('exchange', p_to_currency)
    );
END;
$$;
COMMENT ON FUNCTION exchange_user_balance(uuid, text, text, numeric, numeric, numeric, uuid) IS 'Exchanges available money of a wallet into another currency of the same user, at a rate less a spread, both kept.';

-- Entries are numbered and stamped under the holder's lock, so their times rise with their versions: an
-- instant is found among n entries by log2(n) looks at the primary key, and needs no index on times.
CREATE FUNCTION last_version_at(p_holder_id uuid, p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    v_low bigint := 0;
    v_high bigint;
    v_middle bigint;
    v_is_before boolean;
BEGIN
    SELECT coalesce(max(e.version), 0) INTO v_high FROM balance_ledger AS e WHERE e.holder_id = p_holder_id;
    WHILE v_low < v_high LOOP
        v_middle := (v_low + v_high + 1) / 2;
        SELECT e.created_at <= p_at INTO v_is_before
        FROM balance_ledger AS e WHERE e.holder_id = p_holder_id AND e.version = v_middle;
        IF v_is_before THEN
            v_low := v_middle;
        ELSE
            v_high := v_middle - 1;
        END IF;
    END LOOP;
    RETURN v_low;
END;
$$;
COMMENT ON FUNCTION last_version_at(uuid, timestamptz) IS 'Version of the last entry of a holder that was made at an instant or before, 0 if there is none.';

-- What auditors ask most: a user's entries over a time. Bounds are found by version, holder by holder.
CREATE FUNCTION user_balance_history(
    p_user_id uuid, p_from timestamptz, p_until timestamptz, p_count_max bigint DEFAULT NULL
) RETURNS SETOF balance_ledger
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT e.*
    FROM (
        SELECT w.holder_id AS id FROM user_balances AS w WHERE w.user_id = p_user_id
        UNION ALL
        SELECT a.id FROM accounts AS a WHERE a.user_id = p_user_id
    ) AS h
    CROSS JOIN LATERAL (
        SELECT
            last_version_at(h.id, p_from - interval '1 microsecond') AS before,
            last_version_at(h.id, p_until - interval '1 microsecond') AS last
        OFFSET 0
    ) AS v
    CROSS JOIN LATERAL (
        SELECT b.*
        FROM balance_ledger AS b
        WHERE b.holder_id = h.id AND b.version > v.before AND b.version <= v.last
        ORDER BY b.version DESC
        LIMIT p_count_max
    ) AS e
    ORDER BY e.created_at DESC, e.holder_id, e.version DESC
    LIMIT p_count_max;
$$;
COMMENT ON FUNCTION user_balance_history(uuid, timestamptz, timestamptz, bigint) IS 'Entries of all wallets and accounts of a user from an instant until before another, newest first, at most so many.';

-- What a holder had at an instant. The holder is locked against writers for a moment first, so what is
-- answered is final: an entry that is being written has waited for, and a later one has a later time.
-- Times never go back within a holder, so the entry is found by halving its versions.
CREATE FUNCTION balance_at(
    p_holder_id uuid, p_at timestamptz,
    OUT version bigint, OUT available numeric, OUT reserved numeric, OUT entered_at timestamptz
)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF p_at > clock_timestamp() THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW039',
            MESSAGE = format('%s has not come yet', p_at),
            DETAIL = 'What a holder has at an instant is known when it has passed.',
            HINT = 'Ask for an instant that has passed.';
    END IF;
    PERFORM FROM user_balances WHERE holder_id = p_holder_id FOR SHARE;
    IF NOT FOUND THEN
        PERFORM FROM accounts WHERE id = p_holder_id FOR SHARE;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW035',
            MESSAGE = format('holder "%s" is neither a wallet nor an account', p_holder_id),
            DETAIL = 'Only clients'' holders have entries.',
            HINT = 'Check the holder''s id.';
    END IF;
    version := last_version_at(p_holder_id, p_at);
    available := 0;
    reserved := 0;
    SELECT e.available_after, e.reserved_after, e.created_at INTO available, reserved, entered_at
    FROM balance_ledger AS e WHERE e.holder_id = p_holder_id AND e.version = balance_at.version;
    available := coalesce(available, 0);
    reserved := coalesce(reserved, 0);
END;
$$;
COMMENT ON FUNCTION balance_at(uuid, timestamptz) IS 'What a wallet or account had at an instant that has passed, and by which entry; TW039 for the future, TW035 for no such holder.';

-- Wallets with what their holds are for: balance and breakdown from one snapshot.
CREATE VIEW wallet_breakdown AS
SELECT
    w.user_id,
    w.currency,
    w.holder_id,
    w.status,
    w.version,
    w.available,
    w.reserved,
    coalesce(h.order_held, 0) AS order_held,
    coalesce(h.withdrawal_held, 0) AS withdrawal_held,
    coalesce(h.refund_held, 0) AS refund_held,
    coalesce(h.dispute_held, 0) AS dispute_held,
    coalesce(h.unconfirmed_held, 0) AS unconfirmed_held,
    coalesce(h.open_holds, 0) AS open_holds
FROM user_balances AS w
LEFT JOIN LATERAL (
    SELECT
        sum(b.remaining) FILTER (WHERE b.purpose = 'order') AS order_held,
        sum(b.remaining) FILTER (WHERE b.purpose = 'withdrawal') AS withdrawal_held,
        sum(b.remaining) FILTER (WHERE b.purpose = 'refund') AS refund_held,
        sum(b.remaining) FILTER (WHERE b.purpose = 'dispute') AS dispute_held,
        sum(b.remaining) FILTER (WHERE b.purpose = 'unconfirmed') AS unconfirmed_held,
        count(*) AS open_holds
    FROM balance_holds AS b
    WHERE b.holder_id = w.holder_id AND b.remaining > 0
) AS h ON true;
COMMENT ON VIEW wallet_breakdown IS 'Each wallet: status, available, reserved, and what is reserved by purpose.';

CREATE TABLE house_balances (
    holder_id uuid
        CONSTRAINT house_balances_pkey PRIMARY KEY
        CONSTRAINT house_balances_house_exists REFERENCES house_accounts (id) ON DELETE RESTRICT,
    received numeric(30, 8)
        CONSTRAINT house_balances_received_present NOT NULL
        CONSTRAINT house_balances_received_not_negative CHECK (received >= 0 AND received < 'Infinity'),
    given numeric(30, 8)
        CONSTRAINT house_balances_given_present NOT NULL
        CONSTRAINT house_balances_given_not_negative CHECK (given >= 0 AND given < 'Infinity'),
    to_txid bigint
        CONSTRAINT house_balances_to_txid_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT house_balances_updated_at_present NOT NULL
);
COMMENT ON TABLE house_balances IS 'What each house account has received and given, rolled up from transfers; kept by roll_up_house_balances, nobody waits for it.';
COMMENT ON COLUMN house_balances.to_txid IS 'Upper bound, exclusive, of the transactions that are counted in; none below it was still running.';
CREATE TRIGGER house_balances_are_kept
    BEFORE DELETE OR TRUNCATE ON house_balances
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE VIEW transfer_sides AS
SELECT credit_holder_id AS holder_id, txid, amount AS received, 0::numeric AS given FROM transfers
UNION ALL
SELECT debit_holder_id, txid, 0, amount FROM transfers;
COMMENT ON VIEW transfer_sides IS 'Each transfer twice: as received by one holder and as given by the other.';

-- Counts what has been committed since the last time into the house's balances. The bound is the
-- oldest transaction that still runs: nothing below it can appear later. On a server that counts
-- transactions anew (restored from a dump) everything is counted again.
CREATE FUNCTION roll_up_house_balances(p_from_zero boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_from bigint;
    v_to bigint;
    v_count bigint;
BEGIN
    LOCK TABLE house_balances IN SHARE ROW EXCLUSIVE MODE;
    v_to := txid_snapshot_xmin(txid_current_snapshot());
    SELECT coalesce(min(to_txid), 0) INTO v_from FROM house_balances;
    IF p_from_zero OR v_from > v_to OR EXISTS (
        SELECT FROM house_accounts AS a LEFT JOIN house_balances AS b ON b.holder_id = a.id WHERE b.holder_id IS NULL
    ) THEN
        INSERT INTO house_balances (holder_id, received, given, to_txid)
        SELECT id, 0, 0, 0 FROM house_accounts
        ON CONFLICT (holder_id) DO UPDATE SET received = 0, given = 0, to_txid = 0;
        v_from := 0;
    END IF;
    WITH moved AS (
        SELECT s.holder_id, sum(s.received) AS received, sum(s.given) AS given, count(*) AS side_count
        FROM transfer_sides AS s
        JOIN house_accounts AS a ON a.id = s.holder_id
        WHERE s.txid >= v_from AND s.txid < v_to
        GROUP BY s.holder_id
    ), rolled AS (
        UPDATE house_balances AS b
        SET received = b.received + coalesce(m.received, 0),
            given = b.given + coalesce(m.given, 0),
            to_txid = v_to,
            updated_at = clock_timestamp()
        FROM house_accounts AS a
        LEFT JOIN moved AS m ON m.holder_id = a.id
        WHERE b.holder_id = a.id
    )
    SELECT coalesce(sum(side_count), 0) INTO v_count FROM moved;
    RETURN v_count;
END;
$$;
COMMENT ON FUNCTION roll_up_house_balances(boolean) IS 'Counts transfers committed since the last time into house_balances; returns how many sides it counted.';

CREATE VIEW house_positions AS
SELECT
    a.id AS holder_id,
    a.code,
    a.currency,
    coalesce(b.received, 0) + coalesce(live.received, 0) AS received,
    coalesce(b.given, 0) + coalesce(live.given, 0) AS given,
    coalesce(b.received - b.given, 0) + coalesce(live.received - live.given, 0) AS balance,
    b.updated_at AS rolled_up_at
FROM house_accounts AS a
LEFT JOIN house_balances AS b ON b.holder_id = a.id
LEFT JOIN (
    SELECT s.holder_id, sum(s.received) AS received, sum(s.given) AS given
    FROM transfer_sides AS s
    JOIN house_accounts AS h ON h.id = s.holder_id
    LEFT JOIN house_balances AS r ON r.holder_id = s.holder_id
    WHERE s.txid >= (
        SELECT min(coalesce(o.to_txid, 0))
        FROM house_accounts AS n
        LEFT JOIN house_balances AS o ON o.holder_id = n.id
    )
      AND s.txid >= coalesce(r.to_txid, 0)
    GROUP BY s.holder_id
) AS live ON live.holder_id = a.id;
COMMENT ON VIEW house_positions IS 'What each house account holds now: its roll-up and what came since.';
-- Payments: money that crosses the house's border, through a provider or directly.

CREATE TABLE payment_limits (
    id uuid DEFAULT uuidv7()
        CONSTRAINT payment_limits_pkey PRIMARY KEY,
    kyc_level smallint
        CONSTRAINT payment_limits_kyc_level_present NOT NULL
        CONSTRAINT payment_limits_kyc_level_in_range CHECK (kyc_level BETWEEN 0 AND 4),
    kind text
        CONSTRAINT payment_limits_kind_present NOT NULL
        CONSTRAINT payment_limits_kind_known CHECK (kind IN ('deposit', 'withdrawal')),
    amount_max numeric(20, 8)
        CONSTRAINT payment_limits_amount_max_present NOT NULL
        CONSTRAINT payment_limits_amount_max_not_negative CHECK (amount_max >= 0 AND amount_max < 'Infinity'),
    daily_max numeric(20, 8)
        CONSTRAINT payment_limits_daily_max_present NOT NULL
        CONSTRAINT payment_limits_daily_max_not_below_amount_max CHECK (daily_max >= amount_max AND daily_max < 'Infinity'),
    rolling_max numeric(20, 8)
        CONSTRAINT payment_limits_rolling_max_present NOT NULL
        CONSTRAINT payment_limits_rolling_max_not_below_daily_max CHECK (rolling_max >= daily_max AND rolling_max < 'Infinity'),
    revision integer DEFAULT 1
        CONSTRAINT payment_limits_revision_present NOT NULL
        CONSTRAINT payment_limits_revision_not_negative CHECK (revision >= 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT payment_limits_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT payment_limits_updated_at_present NOT NULL,
    CONSTRAINT payment_limits_one_per_level_kind UNIQUE (kyc_level, kind)
);
COMMENT ON TABLE payment_limits IS 'Largest sum at once, in a UTC day and in 30 days, in US dollars over all currencies together, by verification level; no row means none is allowed.';
COMMENT ON COLUMN payment_limits.daily_max IS 'Largest sum from midnight UTC, that instant included.';
COMMENT ON COLUMN payment_limits.rolling_max IS 'Largest sum of the last 30 times 24 hours; what is exactly that old no longer counts.';
COMMENT ON COLUMN payment_limits.revision IS 'Counts the audited changes of the row, 0 for one that is as the migration made it; equals its rows in audit_log.';
-- Made before their triggers: the file itself says who made them, and the record begins with the first change.
INSERT INTO payment_limits (kyc_level, kind, amount_max, daily_max, rolling_max, revision)
SELECT l.kyc_level, k.kind, l.amount_max, l.daily_max, l.rolling_max, 0
FROM (VALUES
    (1, 1000, 2000, 10000), (2, 10000, 25000, 150000), (3, 100000, 250000, 2000000), (4, 1000000, 5000000, 50000000)
) AS l (kyc_level, amount_max, daily_max, rolling_max)
CROSS JOIN (VALUES ('deposit'), ('withdrawal')) AS k (kind);
CREATE TRIGGER payment_limits_count_revision
    BEFORE UPDATE ON payment_limits
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER payment_limits_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON payment_limits
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE payment_limits ENABLE ALWAYS TRIGGER payment_limits_are_audited;
CREATE TRIGGER payment_limits_are_kept
    BEFORE DELETE OR TRUNCATE ON payment_limits
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_limits_keep_their_key
    BEFORE UPDATE OF id, kyc_level, kind ON payment_limits
    FOR EACH ROW WHEN ((OLD.id, OLD.kyc_level, OLD.kind) IS DISTINCT FROM (NEW.id, NEW.kyc_level, NEW.kind))
    EXECUTE FUNCTION refuse_new_key();

CREATE TABLE exchange_rates (
    id uuid DEFAULT uuidv7()
        CONSTRAINT exchange_rates_pkey PRIMARY KEY,
    base_currency text
        CONSTRAINT exchange_rates_base_currency_present NOT NULL
        CONSTRAINT exchange_rates_base_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    quote_currency text
        CONSTRAINT exchange_rates_quote_currency_present NOT NULL
        CONSTRAINT exchange_rates_quote_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    rate numeric(20, 8)
        CONSTRAINT exchange_rates_rate_present NOT NULL
        CONSTRAINT exchange_rates_rate_positive CHECK (rate > 0 AND rate < 'Infinity'),
    source text
        CONSTRAINT exchange_rates_source_present NOT NULL,
    observed_at timestamptz
        CONSTRAINT exchange_rates_observed_at_present NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT exchange_rates_created_at_present NOT NULL,
    -- The clocks of sources may be a little ahead of the server's.
    CONSTRAINT exchange_rates_are_of_the_past CHECK (observed_at - created_at <= interval '1 minute'),
    CONSTRAINT exchange_rates_currencies_differ CHECK (base_currency <> quote_currency),
    CONSTRAINT exchange_rates_one_per_instant UNIQUE (base_currency, quote_currency, observed_at, source)
);
COMMENT ON TABLE exchange_rates IS 'What one unit of the base currency was worth in the quote currency, when and by whom; append-only. Old rates are refused by their readers.';
CREATE INDEX idx_exchange_rates_quote_currency
    ON exchange_rates (quote_currency);
CREATE TRIGGER exchange_rates_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange_rates
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE user_devices (
    id uuid DEFAULT uuidv7()
        CONSTRAINT user_devices_pkey PRIMARY KEY,
    user_id uuid
        CONSTRAINT user_devices_user_id_present NOT NULL
        CONSTRAINT user_devices_user_exists REFERENCES users (id) ON DELETE RESTRICT,
    fingerprint text
        CONSTRAINT user_devices_fingerprint_present NOT NULL
        CONSTRAINT user_devices_fingerprint_has_length CHECK (length(fingerprint) BETWEEN 1 AND 128),
    first_seen_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT user_devices_first_seen_at_present NOT NULL,
    last_seen_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT user_devices_last_seen_at_present NOT NULL,
    CONSTRAINT user_devices_seen_once UNIQUE (user_id, fingerprint)
);
COMMENT ON TABLE user_devices IS 'Devices from which a user asked for payments, by the fingerprint that the client sent.';
CREATE INDEX idx_user_devices_fingerprint
    ON user_devices (fingerprint);
CREATE TRIGGER user_devices_are_kept
    BEFORE DELETE OR TRUNCATE ON user_devices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE user_ip_addresses (
    id uuid DEFAULT uuidv7()
        CONSTRAINT user_ip_addresses_pkey PRIMARY KEY,
    user_id uuid
        CONSTRAINT user_ip_addresses_user_id_present NOT NULL
        CONSTRAINT user_ip_addresses_user_exists REFERENCES users (id) ON DELETE RESTRICT,
    address inet
        CONSTRAINT user_ip_addresses_address_present NOT NULL,
    first_seen_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT user_ip_addresses_first_seen_at_present NOT NULL,
    last_seen_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT user_ip_addresses_last_seen_at_present NOT NULL,
    CONSTRAINT user_ip_addresses_seen_once UNIQUE (user_id, address)
);
COMMENT ON TABLE user_ip_addresses IS 'Network addresses from which a user asked for payments.';
CREATE INDEX idx_user_ip_addresses_address
    ON user_ip_addresses (address);
CREATE TRIGGER user_ip_addresses_are_kept
    BEFORE DELETE OR TRUNCATE ON user_ip_addresses
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE payment_transitions (
    object text
        CONSTRAINT payment_transitions_object_present NOT NULL
        CONSTRAINT payment_transitions_object_known CHECK (object IN ('deposit', 'withdrawal', 'refund', 'dispute', 'send_back')),
    from_status text
        CONSTRAINT payment_transitions_from_status_present NOT NULL,
    to_status text
        CONSTRAINT payment_transitions_to_status_present NOT NULL,
    CONSTRAINT payment_transitions_pkey PRIMARY KEY (object, from_status, to_status),
    CONSTRAINT payment_transitions_lead_on CHECK (from_status <> to_status)
);
COMMENT ON TABLE payment_transitions IS 'Every step that a deposit, withdrawal, refund, dispute or the sending back of money in suspense may take; all others are refused (TW014).';

INSERT INTO payment_transitions (object, from_status, to_status)
SELECT s.object, s.from_status, t.to_status
FROM (VALUES
    ('deposit', 'pending', 'requires_approval processing unconfirmed succeeded failed canceled conflicted reversed'),
    ('deposit', 'processing', 'requires_approval unconfirmed succeeded failed canceled conflicted reversed'),
    ('deposit', 'requires_approval', 'succeeded failed reversed'),
    ('deposit', 'unconfirmed', 'succeeded reversed'),
    ('deposit', 'succeeded', 'reversed'),
    -- A provider may find a payment that it had given up, and the client's money with it.
    ('deposit', 'failed', 'requires_approval unconfirmed succeeded reversed'),
    ('deposit', 'canceled', 'requires_approval unconfirmed succeeded failed reversed'),
    ('deposit', 'conflicted', 'requires_approval unconfirmed succeeded failed canceled reversed'),
    ('withdrawal', 'pending', 'requires_approval processing failed canceled'),
    ('withdrawal', 'requires_approval', 'processing failed canceled'),
    ('withdrawal', 'processing', 'succeeded failed conflicted'),
    ('withdrawal', 'conflicted', 'succeeded failed'),
    -- A bank may send back what it had paid out.
    ('withdrawal', 'succeeded', 'failed'),
    ('refund', 'pending', 'succeeded failed'),
    ('refund', 'succeeded', 'failed'),
    ('dispute', 'opened', 'lost won'),
    ('dispute', 'lost', 'won'),
    ('send_back', 'pending', 'succeeded failed'),
    ('send_back', 'succeeded', 'failed')
) AS s (object, from_status, to_statuses)
CROSS JOIN LATERAL string_to_table(s.to_statuses, ' ') AS t (to_status);
CREATE TRIGGER payment_transitions_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_transitions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE payment_transactions (
    id uuid
        CONSTRAINT payment_transactions_pkey PRIMARY KEY,
    user_id uuid
        CONSTRAINT payment_transactions_user_id_present NOT NULL
        CONSTRAINT payment_transactions_user_exists REFERENCES users (id) ON DELETE RESTRICT,
    kind text
        CONSTRAINT payment_transactions_kind_present NOT NULL
        CONSTRAINT payment_transactions_kind_known CHECK (kind IN ('deposit', 'withdrawal')),
    currency text
        CONSTRAINT payment_transactions_currency_present NOT NULL
        CONSTRAINT payment_transactions_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    amount numeric(20, 8)
        CONSTRAINT payment_transactions_amount_present NOT NULL
        CONSTRAINT payment_transactions_amount_positive CHECK (amount > 0 AND amount < 'Infinity'),
    provider text DEFAULT 'direct'
        CONSTRAINT payment_transactions_provider_present NOT NULL
        CONSTRAINT payment_transactions_provider_known CHECK (provider IN ('direct', 'cards', 'chain')),
    counted_rate numeric(20, 8)
        CONSTRAINT payment_transactions_counted_rate_positive CHECK (counted_rate > 0 AND counted_rate < 'Infinity')
        CONSTRAINT payment_transactions_dollars_count_as_they_are CHECK (currency <> 'USD' OR counted_rate = 1),
    counted_amount numeric(20, 8)
        CONSTRAINT payment_transactions_counted_with_its_rate CHECK ((counted_amount IS NULL) = (counted_rate IS NULL))
        CONSTRAINT payment_transactions_counted_at_its_rate CHECK (
            counted_amount = ceil(amount * counted_rate * 100000000) / 100000000
        ),
    reference text,
    destination text,
    status text DEFAULT 'pending'
        CONSTRAINT payment_transactions_status_present NOT NULL
        CONSTRAINT payment_transactions_status_known CHECK (status IN (
            'pending', 'requires_approval', 'processing', 'unconfirmed', 'succeeded', 'failed', 'canceled',
            'conflicted', 'reversed'
        )),
    hold_id uuid
        CONSTRAINT payment_transactions_hold_exists REFERENCES balance_holds (id) ON DELETE RESTRICT,
    approved_by uuid
        CONSTRAINT payment_transactions_approver_exists REFERENCES users (id) ON DELETE RESTRICT,
    failure_reason text,
    device_id uuid
        CONSTRAINT payment_transactions_device_exists REFERENCES user_devices (id) ON DELETE RESTRICT,
    ip_address_id uuid
        CONSTRAINT payment_transactions_ip_address_exists REFERENCES user_ip_addresses (id) ON DELETE RESTRICT,
    revision integer DEFAULT 1
        CONSTRAINT payment_transactions_revision_present NOT NULL
        CONSTRAINT payment_transactions_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT payment_transactions_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT payment_transactions_updated_at_present NOT NULL,
    submitted_at timestamptz,
    arrived_at timestamptz,
    completed_at timestamptz,
    -- tradewright: ignore unique-over-nullable: none until the provider names it
    CONSTRAINT payment_transactions_reference_once UNIQUE (provider, reference),
    CONSTRAINT payment_transactions_approver_is_another CHECK (approved_by <> user_id),
    CONSTRAINT payment_transactions_counted_before_money_moves CHECK (
        counted_amount IS NOT NULL OR (kind = 'deposit' AND status NOT IN ('unconfirmed', 'succeeded'))
    ),
    CONSTRAINT payment_transactions_credited_after_arrival CHECK (
        kind <> 'deposit' OR status NOT IN ('requires_approval', 'succeeded') OR arrived_at IS NOT NULL
    ),
    CONSTRAINT payment_transactions_completed_at_iff_ended CHECK (
        (status IN ('succeeded', 'failed', 'canceled', 'reversed')) = (completed_at IS NOT NULL)
    )
);
COMMENT ON TABLE payment_transactions IS 'Deposits and withdrawals as state machines; money moves in the same transaction as the state.';
COMMENT ON COLUMN payment_transactions.provider IS 'Through whom the money comes and goes; direct: booked by the house itself, at once.';
COMMENT ON COLUMN payment_transactions.counted_rate IS 'What one unit of the currency was worth in US dollars when the payment was asked for; without a fresh rate, coins that came unasked have none until an officer approves them.';
COMMENT ON COLUMN payment_transactions.counted_amount IS 'What the payment takes of its user''s limits: the amount in US dollars at counted_rate, rounded up; the same however rates move.';
COMMENT ON COLUMN payment_transactions.reference IS 'The provider''s own name for the payment; of a coin transfer: chain, transaction and output.';
COMMENT ON COLUMN payment_transactions.destination IS 'Where a withdrawal is paid to, in the provider''s terms.';
COMMENT ON COLUMN payment_transactions.status IS 'unconfirmed: credited and held until it can no longer be taken back; conflicted: the provider tells another amount or currency; reversed: it was credited and taken back, or never became final.';
COMMENT ON COLUMN payment_transactions.hold_id IS 'Money set aside for a withdrawal that is not decided, or of a deposit that is not confirmed.';
COMMENT ON COLUMN payment_transactions.approved_by IS 'Payments officer who approved the payment; never its owner.';
COMMENT ON COLUMN payment_transactions.submitted_at IS 'When the provider had taken the order to collect or pay out.';
COMMENT ON COLUMN payment_transactions.arrived_at IS 'When a deposit''s money was first told to be there; a deposit that failed after it was refused by an officer.';
-- A user's payments by state: the composite that two single-column indexes cannot replace.
CREATE INDEX idx_payment_transactions_user_id_status
    ON payment_transactions (user_id, status);
CREATE INDEX idx_payment_transactions_currency
    ON payment_transactions (currency);
CREATE INDEX idx_payment_transactions_hold_id
    ON payment_transactions (hold_id);
CREATE INDEX idx_payment_transactions_approved_by
    ON payment_transactions (approved_by);
CREATE INDEX idx_payment_transactions_device_id
    ON payment_transactions (device_id);
CREATE INDEX idx_payment_transactions_ip_address_id
    ON payment_transactions (ip_address_id);
-- What still has to be handed to a provider.
CREATE INDEX idx_payment_transactions_provider_open
    ON payment_transactions (provider, created_at)
    WHERE submitted_at IS NULL AND provider <> 'direct' AND status IN ('pending', 'processing');
-- Lists go by time: a payment's id is its client's, and says nothing of when it was asked for.
CREATE INDEX idx_payment_transactions_created_at_id
    ON payment_transactions (created_at, id);
-- What waits for an officer, the oldest first: few at a time, looked for by everybody who looks in.
CREATE INDEX idx_payment_transactions_created_at_waiting
    ON payment_transactions (created_at, id)
    WHERE status IN ('requires_approval', 'conflicted');

-- Refuses a change of state that payment_transitions does not list.
CREATE FUNCTION payments_follow_their_states() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM payment_transitions AS t
        WHERE t.object = NEW.kind AND t.from_status = OLD.status AND t.to_status = NEW.status
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW014',
            MESSAGE = format('%s "%s" cannot go from %s to %s', NEW.kind, OLD.id, OLD.status, NEW.status),
            DETAIL = 'The steps that may be taken stand in payment_transitions.',
            HINT = 'Read the payment''s state again.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION payments_follow_their_states() IS 'Trigger of payments and claims: refuses a change of state that is not allowed (SQLSTATE TW014).';
-- Payments and claims begin at the beginning of their states, and hold what they have set aside themselves.
CREATE FUNCTION payments_begin_open() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'TW014',
        MESSAGE = format('%s "%s" cannot begin %s', NEW.kind, NEW.id, NEW.status),
        DETAIL = 'Payments begin pending; a claim takes nothing before it holds it.',
        HINT = 'Write it as it begins, and move it with its money.',
        TABLE = TG_TABLE_NAME;
END;
$$;
COMMENT ON FUNCTION payments_begin_open() IS 'Trigger of payments and claims: refuses a row that does not begin where its states do (SQLSTATE TW014).';
CREATE FUNCTION payments_hold_what_they_reserved() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM balance_ledger AS l
        WHERE l.transaction_id = NEW.id AND l.operation = 'reserve'
          AND l.hold_id = NEW.hold_id AND l.amount = NEW.amount
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW013',
            MESSAGE = format('hold "%s" is not what %s "%s" has set aside', NEW.hold_id, NEW.kind, NEW.id),
            DETAIL = 'A payment or claim holds its whole amount, reserved under its own id.',
            HINT = 'Reserve its money first, with its id as the transaction id.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION payments_hold_what_they_reserved() IS 'Trigger of payments and claims: refuses a hold that was not reserved for them (SQLSTATE TW013).';
CREATE TRIGGER payment_transactions_begin_open
    BEFORE INSERT ON payment_transactions
    FOR EACH ROW WHEN (NEW.status <> 'pending') EXECUTE FUNCTION payments_begin_open();
CREATE TRIGGER payment_transactions_hold_what_they_reserved
    BEFORE INSERT OR UPDATE OF hold_id ON payment_transactions
    FOR EACH ROW WHEN (NEW.hold_id IS NOT NULL) EXECUTE FUNCTION payments_hold_what_they_reserved();
CREATE TRIGGER payment_transactions_are_kept
    BEFORE DELETE OR TRUNCATE ON payment_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_transactions_count_revision
    BEFORE UPDATE ON payment_transactions
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER payment_transactions_keep_their_key
    BEFORE UPDATE OF id, user_id, kind, currency, amount, provider, destination ON payment_transactions
    FOR EACH ROW WHEN (
        (OLD.id, OLD.user_id, OLD.kind, OLD.currency, OLD.amount, OLD.provider, OLD.destination)
        IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.kind, NEW.currency, NEW.amount, NEW.provider, NEW.destination)
    )
    EXECUTE FUNCTION refuse_new_key();
CREATE TRIGGER payment_transactions_keep_what_they_count
    BEFORE UPDATE OF counted_rate, counted_amount ON payment_transactions
    FOR EACH ROW WHEN (
        OLD.counted_amount IS NOT NULL
        AND (OLD.counted_rate, OLD.counted_amount) IS DISTINCT FROM (NEW.counted_rate, NEW.counted_amount)
    )
    EXECUTE FUNCTION refuse_new_key();
CREATE TRIGGER payment_transactions_keep_their_arrival
    BEFORE UPDATE OF arrived_at ON payment_transactions
    FOR EACH ROW WHEN (OLD.arrived_at <> NEW.arrived_at OR (OLD.arrived_at IS NOT NULL AND NEW.arrived_at IS NULL))
    EXECUTE FUNCTION refuse_new_key();
CREATE TRIGGER payment_transactions_follow_states
    BEFORE UPDATE ON payment_transactions
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION payments_follow_their_states();

-- Four eyes, whoever writes: what waits for an officer, or an officer has refused, goes on by the word of one.
-- That the officer is not the owner is a CHECK of the row.
CREATE FUNCTION payments_wait_for_their_officer() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM user_roles AS r WHERE r.user_id = NEW.approved_by AND r.role = 'payments_officer'
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW042',
            MESSAGE = format('%s "%s" cannot go from %s to %s by itself', NEW.kind, OLD.id, OLD.status, NEW.status),
            DETAIL = 'It waits for a payments officer or was refused by one, and approved_by names none.',
            HINT = 'Have an officer decide.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION payments_wait_for_their_officer() IS 'Trigger of payment_transactions: what waits for an officer is credited or paid only when approved_by names one (SQLSTATE TW042).';
CREATE TRIGGER payment_transactions_wait_for_their_officer
    BEFORE UPDATE ON payment_transactions
    FOR EACH ROW WHEN (
        NEW.status IN ('processing', 'unconfirmed', 'succeeded') AND OLD.status <> NEW.status
        AND (OLD.status = 'requires_approval' OR OLD.arrived_at IS NOT NULL)
    )
    EXECUTE FUNCTION payments_wait_for_their_officer();
CREATE TRIGGER payment_transactions_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON payment_transactions
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE payment_transactions ENABLE ALWAYS TRIGGER payment_transactions_are_audited;

CREATE TABLE fraud_checks (
    id uuid
        CONSTRAINT fraud_checks_pkey PRIMARY KEY,
    payment_id uuid
        CONSTRAINT fraud_checks_payment_id_present NOT NULL
        CONSTRAINT fraud_checks_payment_exists REFERENCES payment_transactions (id) ON DELETE RESTRICT,
    risk_score numeric(5, 2)
        CONSTRAINT fraud_checks_risk_score_present NOT NULL
        CONSTRAINT fraud_checks_risk_score_in_range CHECK (risk_score >= 0 AND risk_score <= 100),
    risk_level text
        CONSTRAINT fraud_checks_risk_level_present NOT NULL
        CONSTRAINT fraud_checks_risk_level_follows_score CHECK (
            risk_level = CASE
                WHEN risk_score < 30 THEN 'low'
                WHEN risk_score < 60 THEN 'medium'
                WHEN risk_score < 85 THEN 'high'
                ELSE 'critical'
            END
        ),
    findings jsonb
        CONSTRAINT fraud_checks_findings_present NOT NULL
        CONSTRAINT fraud_checks_findings_is_object CHECK (jsonb_typeof(findings) = 'object'),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT fraud_checks_created_at_present NOT NULL
);
COMMENT ON TABLE fraud_checks IS 'Score of a payment before money moves: 0 to 100, with the figures that led to it. Append-only.';
COMMENT ON COLUMN fraud_checks.risk_level IS 'low below 30, medium below 60, high below 85, critical from 85.';
COMMENT ON COLUMN fraud_checks.findings IS 'Check name to its points and inputs.';
CREATE INDEX idx_fraud_checks_payment_id
    ON fraud_checks (payment_id);
CREATE INDEX idx_fraud_checks_risk_level
    ON fraud_checks (risk_level);
CREATE TRIGGER fraud_checks_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON fraud_checks
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What was asked for and came to no payment: whoever tries what passes is seen by this alone.
CREATE TABLE payment_refusals (
    id uuid DEFAULT uuidv7()
        CONSTRAINT payment_refusals_pkey PRIMARY KEY,
    user_id uuid
        CONSTRAINT payment_refusals_user_id_present NOT NULL
        CONSTRAINT payment_refusals_user_exists REFERENCES users (id) ON DELETE RESTRICT,
    kind text
        CONSTRAINT payment_refusals_kind_present NOT NULL
        CONSTRAINT payment_refusals_kind_known CHECK (kind IN ('deposit', 'withdrawal')),
    code text
        CONSTRAINT payment_refusals_code_present NOT NULL
        CONSTRAINT payment_refusals_code_has_form CHECK (code ~ '^[A-Z_]{1,64}$'),
    ip_address_id uuid
        CONSTRAINT payment_refusals_ip_address_exists REFERENCES user_ip_addresses (id) ON DELETE RESTRICT,
    refused_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT payment_refusals_refused_at_present NOT NULL
);
COMMENT ON TABLE payment_refusals IS 'Payments that clients asked for and that were refused before they began, such as over a limit; fraud checks count them. Append-only.';
COMMENT ON COLUMN payment_refusals.code IS 'The error code of the refusal.';
COMMENT ON COLUMN payment_refusals.ip_address_id IS 'From where it was asked for, when that is known.';
CREATE INDEX idx_payment_refusals_user_id_refused_at
    ON payment_refusals (user_id, refused_at);
CREATE INDEX idx_payment_refusals_ip_address_id_refused_at
    ON payment_refusals (ip_address_id, refused_at);
CREATE TRIGGER payment_refusals_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_refusals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE deposit_addresses (
    id uuid DEFAULT uuidv7()
        CONSTRAINT deposit_addresses_pkey PRIMARY KEY,
    provider text
        CONSTRAINT deposit_addresses_provider_present NOT NULL
        CONSTRAINT deposit_addresses_provider_known CHECK (provider IN ('chain')),
    address text
        CONSTRAINT deposit_addresses_address_present NOT NULL,
    user_id uuid
        CONSTRAINT deposit_addresses_user_id_present NOT NULL
        CONSTRAINT deposit_addresses_user_exists REFERENCES users (id) ON DELETE RESTRICT,
    currency text
        CONSTRAINT deposit_addresses_currency_present NOT NULL
        CONSTRAINT deposit_addresses_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT deposit_addresses_created_at_present NOT NULL,
    CONSTRAINT deposit_addresses_one_owner UNIQUE (provider, address)
);
COMMENT ON TABLE deposit_addresses IS 'Whose deposit it is when coins arrive at an address; append-only, because coins may arrive years later.';
CREATE INDEX idx_deposit_addresses_user_id
    ON deposit_addresses (user_id);
CREATE INDEX idx_deposit_addresses_currency
    ON deposit_addresses (currency);
CREATE TRIGGER deposit_addresses_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON deposit_addresses
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE payment_claims (
    id uuid
        CONSTRAINT payment_claims_pkey PRIMARY KEY,
    kind text
        CONSTRAINT payment_claims_kind_present NOT NULL
        CONSTRAINT payment_claims_kind_known CHECK (kind IN ('refund', 'dispute')),
    payment_id uuid
        CONSTRAINT payment_claims_payment_id_present NOT NULL
        CONSTRAINT payment_claims_payment_exists REFERENCES payment_transactions (id) ON DELETE RESTRICT,
    amount numeric(20, 8)
        CONSTRAINT payment_claims_amount_present NOT NULL
        CONSTRAINT payment_claims_amount_positive CHECK (amount > 0 AND amount < 'Infinity'),
    reference text,
    reason text
        CONSTRAINT payment_claims_reason_present NOT NULL,
    status text
        CONSTRAINT payment_claims_status_present NOT NULL,
    hold_id uuid
        CONSTRAINT payment_claims_hold_exists REFERENCES balance_holds (id) ON DELETE RESTRICT,
    revision integer DEFAULT 1
        CONSTRAINT payment_claims_revision_present NOT NULL
        CONSTRAINT payment_claims_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT payment_claims_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT payment_claims_updated_at_present NOT NULL,
    submitted_at timestamptz,
    completed_at timestamptz,
    -- tradewright: ignore unique-over-nullable: none until the provider names it
    CONSTRAINT payment_claims_reference_once UNIQUE (payment_id, kind, reference),
    CONSTRAINT payment_claims_status_known CHECK (CASE kind
        WHEN 'refund' THEN status IN ('pending', 'succeeded', 'failed')
        ELSE status IN ('opened', 'lost', 'won')
    END),
    CONSTRAINT payment_claims_hold_unless_given_up CHECK (hold_id IS NOT NULL OR status IN ('failed', 'won')),
    CONSTRAINT payment_claims_completed_at_iff_ended CHECK (
        (status IN ('pending', 'opened')) = (completed_at IS NULL)
    )
);
COMMENT ON TABLE payment_claims IS 'What is asked back of a deposit, each an object of its own: refunds by the house or the provider, and disputes by the payer''s bank.';
COMMENT ON COLUMN payment_claims.reference IS 'The provider''s own name for the refund or dispute.';
COMMENT ON COLUMN payment_claims.hold_id IS 'The money, set aside until the claim is decided; none when it was given up before the house heard of it.';
CREATE INDEX idx_payment_claims_hold_id
    ON payment_claims (hold_id);
CREATE INDEX idx_payment_claims_kind_open
    ON payment_claims (kind, created_at)
    WHERE completed_at IS NULL;

-- All claims that were not given up may together take the deposit and no more. The payment is
-- locked first, so two claims that fit only one by one never both pass.
CREATE FUNCTION claims_stay_within_their_deposit() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_payment payment_transactions;
    v_claimed numeric := 0;
BEGIN
    SELECT * INTO v_payment FROM payment_transactions WHERE id = NEW.payment_id FOR NO KEY UPDATE;
    -- What was given up before it was known takes nothing, whatever the others take.
    IF NEW.status NOT IN ('failed', 'won') THEN
        SELECT coalesce(sum(amount), 0) INTO v_claimed
        FROM payment_claims
        WHERE payment_id = NEW.payment_id AND status NOT IN ('failed', 'won');
    END IF;
    IF v_payment.kind <> 'deposit' OR v_payment.status <> 'succeeded' OR v_claimed + NEW.amount > v_payment.amount THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW030',
            MESSAGE = format(
                '%s of %s cannot be taken from payment "%s"', NEW.kind, trim_scale(NEW.amount), NEW.payment_id
            ),
            DETAIL = format(
                'It is a %s of %s that is %s, and %s of it are claimed.',
                v_payment.kind, trim_scale(v_payment.amount), v_payment.status, trim_scale(v_claimed)
            ),
            HINT = 'Claim at most what is left of a deposit that succeeded.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION claims_stay_within_their_deposit() IS 'Trigger of payment_claims: refuses claims that would pass their deposit (SQLSTATE TW030).';
CREATE TRIGGER payment_claims_stay_within_their_deposit
    BEFORE INSERT ON payment_claims
    FOR EACH ROW EXECUTE FUNCTION claims_stay_within_their_deposit();
CREATE TRIGGER payment_claims_begin_open
    BEFORE INSERT ON payment_claims
    FOR EACH ROW WHEN (NEW.status IN ('succeeded', 'lost')) EXECUTE FUNCTION payments_begin_open();
CREATE TRIGGER payment_claims_hold_what_they_reserved
    BEFORE INSERT ON payment_claims
    FOR EACH ROW WHEN (NEW.hold_id IS NOT NULL) EXECUTE FUNCTION payments_hold_what_they_reserved();
CREATE TRIGGER payment_claims_count_revision
    BEFORE UPDATE ON payment_claims
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER payment_claims_keep_their_key
    BEFORE UPDATE OF id, kind, payment_id, amount, hold_id ON payment_claims
    FOR EACH ROW WHEN (
        (OLD.id, OLD.kind, OLD.payment_id, OLD.amount, OLD.hold_id)
        IS DISTINCT FROM (NEW.id, NEW.kind, NEW.payment_id, NEW.amount, NEW.hold_id)
    )
    EXECUTE FUNCTION refuse_new_key();
CREATE TRIGGER payment_claims_follow_states
    BEFORE UPDATE ON payment_claims
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION payments_follow_their_states();
CREATE TRIGGER payment_claims_are_kept
    BEFORE DELETE OR TRUNCATE ON payment_claims
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_claims_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON payment_claims
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE payment_claims ENABLE ALWAYS TRIGGER payment_claims_are_audited;

-- What a payment or claim says has happened to its money, and what the ledger says. The laws are these views;
-- the guard asks them of one row when its transaction ends, because state and money are written one after the other.
CREATE VIEW payments_without_their_money AS
SELECT p.id AS payment_id, p.kind, p.status, p.amount, e.credited, e.held, e.paid
FROM payment_transactions AS p
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(CASE l.effect WHEN 'credit' THEN l.amount WHEN 'debit' THEN -l.amount END), 0) AS credited,
        coalesce(sum(CASE l.effect WHEN 'reserve' THEN l.amount WHEN 'release' THEN -l.amount WHEN 'capture' THEN -l.amount END), 0) AS held,
        coalesce(sum(CASE l.effect WHEN 'capture' THEN l.amount WHEN 'debit' THEN l.amount WHEN 'credit' THEN -l.amount END), 0) AS paid,
        coalesce(bool_and(
            l.user_id = p.user_id AND l.currency = p.currency
            AND (l.hold_id IS NOT DISTINCT FROM p.hold_id OR (l.hold_id IS NULL AND l.effect IN ('credit', 'debit')))
        ), true) AS is_at_home
    FROM balance_ledger AS l
    WHERE l.transaction_id = p.id
) AS e
CROSS JOIN LATERAL (
    SELECT sum(CASE l.effect WHEN 'reserve' THEN l.amount ELSE -l.amount END) AS remaining
    FROM balance_ledger AS l
    WHERE l.hold_id = p.hold_id AND l.currency = p.currency
) AS h
WHERE NOT e.is_at_home
   OR h.remaining <> e.held
   OR (p.kind = 'deposit' AND (
       e.credited <> CASE WHEN p.status IN ('unconfirmed', 'succeeded') THEN p.amount ELSE 0 END
       OR e.held <> CASE WHEN p.status = 'unconfirmed' THEN p.amount ELSE 0 END
   ))
   OR (p.kind = 'withdrawal' AND (
       e.held <> CASE WHEN p.status IN ('requires_approval', 'processing', 'conflicted') THEN p.amount ELSE 0 END
       OR e.paid <> CASE WHEN p.status = 'succeeded' THEN p.amount ELSE 0 END
   ));
COMMENT ON VIEW payments_without_their_money IS 'Payments whose state says another thing of their money than the ledger.';

CREATE VIEW claims_without_their_money AS
SELECT c.id AS claim_id, c.kind, c.status, c.amount, e.held, e.taken
FROM payment_claims AS c
JOIN payment_transactions AS p ON p.id = c.payment_id
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(CASE l.effect WHEN 'reserve' THEN l.amount WHEN 'release' THEN -l.amount WHEN 'capture' THEN -l.amount END), 0) AS held,
        coalesce(sum(CASE l.effect WHEN 'capture' THEN l.amount WHEN 'debit' THEN l.amount WHEN 'credit' THEN -l.amount END), 0) AS taken,
        coalesce(bool_and(l.user_id = p.user_id AND l.currency = p.currency), true) AS is_at_home
    FROM balance_ledger AS l
    WHERE l.transaction_id = c.id
) AS e
CROSS JOIN LATERAL (
    SELECT sum(CASE l.effect WHEN 'reserve' THEN l.amount ELSE -l.amount END) AS remaining
    FROM balance_ledger AS l
    WHERE l.hold_id = c.hold_id AND l.currency = p.currency
) AS h
WHERE NOT e.is_at_home
   OR h.remaining <> e.held
   OR e.held <> CASE WHEN c.status IN ('pending', 'opened') THEN c.amount ELSE 0 END
   OR e.taken <> CASE WHEN c.status IN ('succeeded', 'lost') THEN c.amount ELSE 0 END;
COMMENT ON VIEW claims_without_their_money IS 'Refunds and disputes whose state says another thing of their money than the ledger.';

CREATE FUNCTION states_have_their_money() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF (TG_TABLE_NAME = 'payment_claims' AND EXISTS (SELECT FROM claims_without_their_money AS c WHERE c.claim_id = NEW.id))
       OR EXISTS (SELECT FROM payments_without_their_money AS p WHERE p.payment_id = NEW.id) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW013',
            MESSAGE = format('%s "%s" cannot become %s without its money', NEW.kind, NEW.id, NEW.status),
            DETAIL = 'What is credited, set aside and paid stands in balance_ledger under the id of the payment or claim.',
            HINT = 'Move its money in the same transaction.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION states_have_their_money() IS 'Trigger of payments and claims: refuses at the end of a transaction a state that the ledger does not show (SQLSTATE TW013).';
CREATE CONSTRAINT TRIGGER payment_transactions_begin_with_their_money
    AFTER INSERT ON payment_transactions
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.hold_id IS NOT NULL)
    EXECUTE FUNCTION states_have_their_money();
CREATE CONSTRAINT TRIGGER payment_transactions_state_has_its_money
    AFTER UPDATE ON payment_transactions
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION states_have_their_money();
CREATE CONSTRAINT TRIGGER payment_claims_begin_with_their_money
    AFTER INSERT ON payment_claims
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION states_have_their_money();
CREATE CONSTRAINT TRIGGER payment_claims_state_has_its_money
    AFTER UPDATE ON payment_claims
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION states_have_their_money();

-- Money of a payment is set free and taken with the payment's state, by whomever. What orders set aside is not
-- asked about: it is drawn most often.
CREATE FUNCTION holds_stay_with_their_payments() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (
        SELECT
        FROM payment_transactions AS t
        JOIN payments_without_their_money AS p ON p.payment_id = t.id
        WHERE t.hold_id = NEW.id
    ) OR EXISTS (
        SELECT
        FROM payment_claims AS t
        JOIN claims_without_their_money AS c ON c.claim_id = t.id
        WHERE t.hold_id = NEW.id
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW013',
            MESSAGE = format('hold "%s" cannot be drawn from without its payment', NEW.id),
            DETAIL = format('It was set aside for a %s, whose state still says so.', NEW.purpose),
            HINT = 'Let the payment end: what it has set aside goes with it.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION holds_stay_with_their_payments() IS 'Trigger of balance_holds: refuses at the end of a transaction to draw what a payment has set aside while its state stays (SQLSTATE TW013).';
CREATE CONSTRAINT TRIGGER balance_holds_stay_with_their_payments
    AFTER UPDATE ON balance_holds
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.purpose <> 'order')
    EXECUTE FUNCTION holds_stay_with_their_payments();

CREATE TABLE receivables (
    id uuid
        CONSTRAINT receivables_pkey PRIMARY KEY,
    user_id uuid
        CONSTRAINT receivables_user_id_present NOT NULL
        CONSTRAINT receivables_user_exists REFERENCES users (id) ON DELETE RESTRICT,
    currency text
        CONSTRAINT receivables_currency_present NOT NULL
        CONSTRAINT receivables_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    payment_id uuid
        CONSTRAINT receivables_payment_id_present NOT NULL
        CONSTRAINT receivables_payment_exists REFERENCES payment_transactions (id) ON DELETE RESTRICT,
    amount numeric(20, 8)
        CONSTRAINT receivables_amount_present NOT NULL
        CONSTRAINT receivables_amount_positive CHECK (amount > 0 AND amount < 'Infinity'),
    remaining numeric(20, 8)
        CONSTRAINT receivables_remaining_present NOT NULL
        CONSTRAINT receivables_remaining_not_negative CHECK (remaining >= 0 AND remaining < 'Infinity')
        CONSTRAINT receivables_remaining_within_amount CHECK (remaining <= amount),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT receivables_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT receivables_updated_at_present NOT NULL
);
COMMENT ON TABLE receivables IS 'What a client owes, because money that was taken back had already left the wallet; it freezes withdrawals until it is paid.';
COMMENT ON COLUMN receivables.payment_id IS 'The deposit that was taken back.';
CREATE INDEX idx_receivables_user_id_currency
    ON receivables (user_id, currency);
-- What is still owed: asked before anything is paid out, and by the job that collects it.
CREATE INDEX idx_receivables_user_id_currency_open
    ON receivables (user_id, currency)
    WHERE remaining > 0;
CREATE INDEX idx_receivables_currency
    ON receivables (currency);
CREATE INDEX idx_receivables_payment_id
    ON receivables (payment_id);
CREATE TRIGGER receivables_are_kept
    BEFORE DELETE OR TRUNCATE ON receivables
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER receivables_keep_their_key
    BEFORE UPDATE OF id, user_id, currency, payment_id, amount ON receivables
    FOR EACH ROW WHEN (
        (OLD.id, OLD.user_id, OLD.currency, OLD.payment_id, OLD.amount)
        IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.currency, NEW.payment_id, NEW.amount)
    )
    EXECUTE FUNCTION refuse_new_key();

-- Money that came for a deposit which the house has refused: nobody's, until it is sent back.
CREATE TABLE suspense_items (
    id uuid
        CONSTRAINT suspense_items_pkey PRIMARY KEY,
    payment_id uuid
        CONSTRAINT suspense_items_payment_id_present NOT NULL
        CONSTRAINT suspense_items_payment_exists REFERENCES payment_transactions (id) ON DELETE RESTRICT
        CONSTRAINT suspense_items_one_per_payment UNIQUE,
    currency text
        CONSTRAINT suspense_items_currency_present NOT NULL
        CONSTRAINT suspense_items_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    amount numeric(20, 8)
        CONSTRAINT suspense_items_amount_present NOT NULL
        CONSTRAINT suspense_items_amount_positive CHECK (amount > 0 AND amount < 'Infinity'),
    reason text
        CONSTRAINT suspense_items_reason_present NOT NULL
        CONSTRAINT suspense_items_reason_not_empty CHECK (length(trim(reason)) BETWEEN 1 AND 500),
    opened_by uuid
        CONSTRAINT suspense_items_opened_by_present NOT NULL
        CONSTRAINT suspense_items_officer_exists REFERENCES users (id) ON DELETE RESTRICT,
    transfer_id uuid
        CONSTRAINT suspense_items_transfer_id_present NOT NULL
        CONSTRAINT suspense_items_transfer_exists REFERENCES transfers (id) ON DELETE RESTRICT
        CONSTRAINT suspense_items_transfer_once UNIQUE,
    opened_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT suspense_items_opened_at_present NOT NULL
);
COMMENT ON TABLE suspense_items IS 'Money that came for a deposit which an officer has refused, with how much came and why it is not the client''s; append-only.';
COMMENT ON COLUMN suspense_items.amount IS 'What the provider has booked, whatever was asked for.';
COMMENT ON COLUMN suspense_items.transfer_id IS 'What moved it from the provider''s clearing holder to suspense.';
CREATE INDEX idx_suspense_items_currency
    ON suspense_items (currency);
CREATE INDEX idx_suspense_items_opened_by
    ON suspense_items (opened_by);
CREATE TRIGGER suspense_items_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON suspense_items
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE suspense_returns (
    id uuid
        CONSTRAINT suspense_returns_pkey PRIMARY KEY,
    item_id uuid
        CONSTRAINT suspense_returns_item_id_present NOT NULL
        CONSTRAINT suspense_returns_item_exists REFERENCES suspense_items (id) ON DELETE RESTRICT,
    kind text
        CONSTRAINT suspense_returns_kind_present NOT NULL
        CONSTRAINT suspense_returns_kind_known CHECK (kind IN ('send_back', 'refund', 'dispute', 'reorganisation')),
    destination text,
    reference text,
    reason text
        CONSTRAINT suspense_returns_reason_present NOT NULL
        CONSTRAINT suspense_returns_reason_not_empty CHECK (length(trim(reason)) BETWEEN 1 AND 500),
    status text
        CONSTRAINT suspense_returns_status_present NOT NULL
        CONSTRAINT suspense_returns_status_known CHECK (status IN ('pending', 'succeeded', 'failed')),
    returned_by uuid
        CONSTRAINT suspense_returns_officer_exists REFERENCES users (id) ON DELETE RESTRICT,
    transfer_id uuid
        CONSTRAINT suspense_returns_transfer_exists REFERENCES transfers (id) ON DELETE RESTRICT
        CONSTRAINT suspense_returns_transfer_once UNIQUE,
    reversal_id uuid
        CONSTRAINT suspense_returns_reversal_exists REFERENCES transfers (id) ON DELETE RESTRICT
        CONSTRAINT suspense_returns_reversal_once UNIQUE,
    revision integer DEFAULT 1
        CONSTRAINT suspense_returns_revision_present NOT NULL
        CONSTRAINT suspense_returns_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT suspense_returns_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT suspense_returns_updated_at_present NOT NULL,
    submitted_at timestamptz,
    completed_at timestamptz,
    CONSTRAINT suspense_returns_officer_iff_sent_back CHECK ((kind = 'send_back') = (returned_by IS NOT NULL)),
    CONSTRAINT suspense_returns_completed_at_iff_ended CHECK ((status = 'pending') = (completed_at IS NULL)),
    CONSTRAINT suspense_returns_state_has_its_money CHECK (CASE status
        WHEN 'pending' THEN transfer_id IS NULL AND reversal_id IS NULL
        WHEN 'succeeded' THEN transfer_id IS NOT NULL AND reversal_id IS NULL
        ELSE (transfer_id IS NULL) = (reversal_id IS NULL)
    END)
);
COMMENT ON TABLE suspense_returns IS 'How money leaves suspense, as a state machine: sent back to the payer through the provider by another officer, taken by the provider or the payer''s bank, or gone with its coins.';
COMMENT ON COLUMN suspense_returns.kind IS 'send_back: an officer asks for it; refund, dispute: the provider tells of it; reorganisation: the coins are gone.';
COMMENT ON COLUMN suspense_returns.destination IS 'The address that coins are sent back to, of which no chain tells; none where the provider knows who paid.';
COMMENT ON COLUMN suspense_returns.reference IS 'The provider''s own name for it, under which its statement shows it.';
COMMENT ON COLUMN suspense_returns.transfer_id IS 'What moved it from suspense to the provider''s clearing holder.';
COMMENT ON COLUMN suspense_returns.reversal_id IS 'What moved it into suspense again, because it did not reach its payer.';
COMMENT ON COLUMN suspense_returns.submitted_at IS 'When the provider had taken the order.';
-- What is on its way back is not sent again; what did not reach its payer may be.
CREATE UNIQUE INDEX idx_suspense_returns_item_id_unfailed
    ON suspense_returns (item_id)
    WHERE status <> 'failed';
CREATE INDEX idx_suspense_returns_item_id
    ON suspense_returns (item_id);
CREATE INDEX idx_suspense_returns_returned_by
    ON suspense_returns (returned_by);
CREATE TRIGGER suspense_returns_are_kept
    BEFORE DELETE OR TRUNCATE ON suspense_returns
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER suspense_returns_count_revision
    BEFORE UPDATE ON suspense_returns
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER suspense_returns_keep_their_key
    BEFORE UPDATE OF id, item_id, kind, destination, returned_by, transfer_id, reversal_id ON suspense_returns
    FOR EACH ROW WHEN (
        (OLD.id, OLD.item_id, OLD.kind, OLD.destination, OLD.returned_by)
        IS DISTINCT FROM (NEW.id, NEW.item_id, NEW.kind, NEW.destination, NEW.returned_by)
        OR (OLD.transfer_id IS NOT NULL AND OLD.transfer_id IS DISTINCT FROM NEW.transfer_id)
        OR (OLD.reversal_id IS NOT NULL AND OLD.reversal_id IS DISTINCT FROM NEW.reversal_id)
    )
    EXECUTE FUNCTION refuse_new_key();
CREATE TRIGGER suspense_returns_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON suspense_returns
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE suspense_returns ENABLE ALWAYS TRIGGER suspense_returns_are_audited;

-- The payment is locked: who credits it and who puts its money aside wait for each other.
CREATE FUNCTION suspense_begins_with_its_money() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_payment payment_transactions;
BEGIN
    SELECT * INTO v_payment FROM payment_transactions WHERE id = NEW.payment_id FOR NO KEY UPDATE;
    IF v_payment.kind <> 'deposit' OR v_payment.provider = 'direct' OR v_payment.status NOT IN ('failed', 'canceled')
       OR v_payment.user_id = NEW.opened_by
       OR NOT EXISTS (SELECT FROM user_roles AS r WHERE r.user_id = NEW.opened_by AND r.role = 'payments_officer')
       OR NOT EXISTS (
           SELECT
           FROM transfers AS t
           JOIN house_accounts AS g ON g.id = t.debit_holder_id AND g.code = 'clearing_' || v_payment.provider
           JOIN house_accounts AS r ON r.id = t.credit_holder_id AND r.code = 'suspense'
           WHERE t.id = NEW.transfer_id AND (t.transaction_id, t.currency, t.amount) = (NEW.id, NEW.currency, NEW.amount)
       ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW084',
            MESSAGE = format('money of payment "%s" cannot be put into suspense', NEW.payment_id),
            DETAIL = format(
                'It is a %s through %s that is %s; money is put there by a payments officer who is not its owner, when a '
                'deposit through a provider was refused, with the transfer that moves it.',
                v_payment.kind, v_payment.provider, v_payment.status
            ),
            HINT = 'Refuse the deposit first.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION suspense_begins_with_its_money() IS 'Trigger of suspense_items: only what came for a refused deposit, by an officer, with its transfer (SQLSTATE TW084).';
CREATE TRIGGER suspense_items_begin_with_their_money
    BEFORE INSERT ON suspense_items
    FOR EACH ROW EXECUTE FUNCTION suspense_begins_with_its_money();

CREATE FUNCTION suspense_goes_back_by_four_eyes() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (
        SELECT
        FROM suspense_items AS i
        JOIN payment_transactions AS p ON p.id = i.payment_id
        WHERE i.id = NEW.item_id
          AND CASE NEW.kind
              WHEN 'send_back' THEN
                  NEW.status = 'pending' AND NEW.returned_by NOT IN (i.opened_by, p.user_id) AND EXISTS (
                      SELECT FROM user_roles AS r WHERE r.user_id = NEW.returned_by AND r.role = 'payments_officer'
                  )
              WHEN 'reorganisation' THEN NEW.status = 'succeeded' AND p.status = 'reversed'
              ELSE NEW.status <> 'pending'
          END
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW085',
            MESSAGE = format('money in suspense "%s" cannot go back by this word', NEW.item_id),
            DETAIL = 'Four eyes: a payments officer other than who put it there and than the owner of the deposit '
                'asks for it to be sent back; coins go by themselves only with their transfer.',
            HINT = 'Have another officer send it back.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION suspense_goes_back_by_four_eyes() IS 'Trigger of suspense_returns: another officer than who put the money into suspense sends it back (SQLSTATE TW085).';
CREATE TRIGGER suspense_returns_go_back_by_four_eyes
    BEFORE INSERT ON suspense_returns
    FOR EACH ROW EXECUTE FUNCTION suspense_goes_back_by_four_eyes();

CREATE FUNCTION suspense_returns_follow_their_states() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM payment_transitions AS t
        WHERE t.object = 'send_back' AND t.from_status = OLD.status AND t.to_status = NEW.status
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW014',
            MESSAGE = format('return "%s" from suspense cannot go from %s to %s', OLD.id, OLD.status, NEW.status),
            DETAIL = 'The steps that may be taken stand in payment_transitions.',
            HINT = 'Read its state again.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION suspense_returns_follow_their_states() IS 'Trigger of suspense_returns: refuses a change of state that is not allowed (SQLSTATE TW014).';
CREATE TRIGGER suspense_returns_follow_states
    BEFORE UPDATE ON suspense_returns
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION suspense_returns_follow_their_states();

-- What leaves suspense leaves it whole, to where it came from, under the return's own id; and so back.
CREATE FUNCTION suspense_returns_move_their_money() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (
        SELECT
        FROM (VALUES (NEW.transfer_id, false), (NEW.reversal_id, true)) AS m (transfer_id, is_back)
        JOIN suspense_items AS i ON i.id = NEW.item_id
        JOIN payment_transactions AS p ON p.id = i.payment_id
        WHERE m.transfer_id IS NOT NULL
          AND NOT EXISTS (
              SELECT
              FROM transfers AS t
              JOIN house_accounts AS g ON g.id = t.debit_holder_id
              JOIN house_accounts AS r ON r.id = t.credit_holder_id
              WHERE t.id = m.transfer_id
                AND (t.transaction_id, t.currency, t.amount) = (NEW.id, i.currency, i.amount)
                AND CASE
                    WHEN m.is_back THEN (g.code, r.code) = ('clearing_' || p.provider, 'suspense')
                    ELSE (g.code, r.code) = ('suspense', 'clearing_' || p.provider)
                END
          )
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW085',
            MESSAGE = format('return "%s" from suspense cannot become %s without its money', NEW.id, NEW.status),
            DETAIL = 'It moves what is in suspense, all of it, between suspense and the provider''s clearing holder.',
            HINT = 'Move its money in the same transaction, under its id.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION suspense_returns_move_their_money() IS 'Trigger of suspense_returns: refuses transfers that are not of the money in suspense (SQLSTATE TW085).';
CREATE TRIGGER suspense_returns_move_their_money
    BEFORE INSERT OR UPDATE OF transfer_id, reversal_id ON suspense_returns
    FOR EACH ROW EXECUTE FUNCTION suspense_returns_move_their_money();

CREATE FUNCTION suspense_is_never_credited() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM suspense_items AS i WHERE i.payment_id = NEW.id) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW084',
            MESSAGE = format('%s "%s" cannot become %s', NEW.kind, NEW.id, NEW.status),
            DETAIL = 'What came for it was refused and put into suspense.',
            HINT = 'Send it back, and have the client pay in anew.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION suspense_is_never_credited() IS 'Trigger of payment_transactions: a deposit whose money is in suspense goes to no client (SQLSTATE TW084).';
CREATE TRIGGER payment_transactions_in_suspense_are_not_credited
    BEFORE UPDATE ON payment_transactions
    FOR EACH ROW WHEN (
        NEW.kind = 'deposit' AND OLD.status <> NEW.status AND NEW.status IN ('requires_approval', 'unconfirmed', 'succeeded')
    )
    EXECUTE FUNCTION suspense_is_never_credited();

-- What providers tell us. Only messages whose signature held are written; the same one again is
-- not written again.
CREATE TABLE webhook_events (
    id uuid DEFAULT uuidv7()
        CONSTRAINT webhook_events_pkey PRIMARY KEY,
    provider text
        CONSTRAINT webhook_events_provider_present NOT NULL
        CONSTRAINT webhook_events_provider_known CHECK (provider IN ('cards', 'chain')),
    event_id text
        CONSTRAINT webhook_events_event_id_present NOT NULL
        CONSTRAINT webhook_events_event_id_has_length CHECK (length(event_id) BETWEEN 1 AND 128),
    event_type text
        CONSTRAINT webhook_events_event_type_present NOT NULL,
    reference text
        CONSTRAINT webhook_events_reference_present NOT NULL,
    body text
        CONSTRAINT webhook_events_body_present NOT NULL,
    status text DEFAULT 'waiting'
        CONSTRAINT webhook_events_status_present NOT NULL
        CONSTRAINT webhook_events_status_known CHECK (status IN ('waiting', 'applied', 'ignored', 'conflicted')),
    outcome text,
    payment_id uuid
        CONSTRAINT webhook_events_payment_exists REFERENCES payment_transactions (id) ON DELETE RESTRICT,
    received_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT webhook_events_received_at_present NOT NULL,
    processed_at timestamptz,
    CONSTRAINT webhook_events_once_per_provider UNIQUE (provider, event_id),
    CONSTRAINT webhook_events_processed_unless_waiting CHECK ((status = 'waiting') = (processed_at IS NULL))
);
COMMENT ON TABLE webhook_events IS 'Inbox: each signed message of a provider once, with what became of it, written in the transaction that moved the money.';
COMMENT ON COLUMN webhook_events.reference IS 'The provider''s own name for the payment that the message is about.';
COMMENT ON COLUMN webhook_events.body IS 'The message as it was signed, to the byte (UTF-8).';
COMMENT ON COLUMN webhook_events.status IS 'waiting: it came before what it builds on; ignored: it says nothing new; conflicted: it contradicts our books and an officer must look.';
CREATE INDEX idx_webhook_events_payment_id
    ON webhook_events (payment_id);
CREATE INDEX idx_webhook_events_provider_waiting
    ON webhook_events (provider, reference)
    WHERE status = 'waiting';
CREATE TRIGGER webhook_events_are_kept
    BEFORE DELETE OR TRUNCATE ON webhook_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER webhook_events_keep_their_key
    BEFORE UPDATE OF id, provider, event_id, event_type, reference, body ON webhook_events
    FOR EACH ROW WHEN (
        (OLD.id, OLD.provider, OLD.event_id, OLD.event_type, OLD.reference, OLD.body)
        IS DISTINCT FROM (NEW.id, NEW.provider, NEW.event_id, NEW.event_type, NEW.reference, NEW.body)
    )
    EXECUTE FUNCTION refuse_new_key();

-- What people must look at. Raised by the rows themselves, like every alert.
CREATE FUNCTION raise_payment_alert() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_count bigint;
    v_address text;
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'payment_transactions' THEN
            IF NEW.status = 'conflicted' THEN
                PERFORM open_alert('warning', 'payment_conflicted', NEW.id::text, format(
                    '%s %s of %s %s is in conflict with what provider %s tells: %s',
                    NEW.kind, NEW.id, trim_scale(NEW.amount), NEW.currency, NEW.provider, NEW.failure_reason
                ));
            ELSE
                PERFORM end_alert('payment_conflicted', NEW.id::text);
            END IF;
        WHEN 'webhook_events' THEN
            -- A payment that the message has brought into conflict is told by itself.
            IF NEW.status = 'conflicted' AND NOT EXISTS (
                SELECT FROM payment_transactions AS p WHERE p.id = NEW.payment_id AND p.status = 'conflicted'
            ) THEN
                PERFORM open_alert('warning', 'message_conflicted', NEW.id::text, format(
                    'message %s of provider %s about %s is not booked: %s',
                    NEW.event_id, NEW.provider, NEW.reference, NEW.outcome
                ));
            ELSIF NEW.status IN ('applied', 'ignored') THEN
                PERFORM end_alert('message_conflicted', NEW.id::text);
            END IF;
            IF OLD.status = 'waiting' THEN
                PERFORM end_alert('message_waiting', NEW.id::text);
            END IF;
        WHEN 'receivables' THEN
            IF NEW.remaining > 0 THEN
                PERFORM open_alert('warning', 'client_owes', NEW.id::text, format(
                    'user %s owes %s %s, since deposit %s was taken back; nothing is paid out until then',
                    NEW.user_id, trim_scale(NEW.remaining), NEW.currency, NEW.payment_id
                ));
            ELSE
                PERFORM end_alert('client_owes', NEW.id::text);
            END IF;
        WHEN 'payment_refusals' THEN
            SELECT count(*) INTO v_count
            FROM payment_refusals AS r
            WHERE r.user_id = NEW.user_id AND r.refused_at > clock_timestamp() - interval '1 hour';
            IF v_count >= 10 THEN
                PERFORM open_alert('warning', 'payments_refused', NEW.user_id::text, format(
                    'user %s was refused %s payments within an hour, the last for %s', NEW.user_id, v_count, NEW.code
                ));
            END IF;
            SELECT count(*), host(here.address) INTO v_count, v_address
            FROM user_ip_addresses AS here
            JOIN user_ip_addresses AS i ON i.address = here.address
            JOIN payment_refusals AS r
                ON r.ip_address_id = i.id AND r.refused_at > clock_timestamp() - interval '1 hour'
            WHERE here.id = NEW.ip_address_id
            GROUP BY here.address;
            IF v_count >= 20 THEN
                PERFORM open_alert('warning', 'payments_refused', v_address, format(
                    '%s payments asked for from address %s were refused within an hour, the last for %s',
                    v_count, v_address, NEW.code
                ));
            END IF;
    END CASE;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION raise_payment_alert() IS 'Trigger of payments, refusals, providers'' messages and receivables: raises an alert of what waits for people, and ends it when it is over.';
CREATE TRIGGER payment_transactions_raise_alerts
    AFTER UPDATE ON payment_transactions
    FOR EACH ROW WHEN (OLD.status <> NEW.status AND 'conflicted' IN (OLD.status, NEW.status))
    EXECUTE FUNCTION raise_payment_alert();
CREATE TRIGGER webhook_events_raise_alerts
    AFTER UPDATE ON webhook_events
    FOR EACH ROW WHEN (OLD.status <> NEW.status)
    EXECUTE FUNCTION raise_payment_alert();
CREATE TRIGGER receivables_insert_raises_alert
    AFTER INSERT ON receivables
    FOR EACH ROW EXECUTE FUNCTION raise_payment_alert();
CREATE TRIGGER receivables_update_ends_alert
    AFTER UPDATE ON receivables
    FOR EACH ROW WHEN (OLD.remaining > 0 AND NEW.remaining = 0)
    EXECUTE FUNCTION raise_payment_alert();

CREATE TRIGGER payment_refusals_raise_alerts
    AFTER INSERT ON payment_refusals
    FOR EACH ROW EXECUTE FUNCTION raise_payment_alert();

-- What we tell others. Written by trigger with every change of state, so none can be forgotten.
CREATE TABLE outbox_events (
    id uuid DEFAULT uuidv7()
        CONSTRAINT outbox_events_pkey PRIMARY KEY,
    aggregate_id uuid
        CONSTRAINT outbox_events_aggregate_id_present NOT NULL,
    seq integer
        CONSTRAINT outbox_events_seq_present NOT NULL
        CONSTRAINT outbox_events_seq_positive CHECK (seq > 0),
    event_type text
        CONSTRAINT outbox_events_event_type_present NOT NULL,
    body jsonb
        CONSTRAINT outbox_events_body_present NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT outbox_events_created_at_present NOT NULL,
    attempt_count integer DEFAULT 0
        CONSTRAINT outbox_events_attempt_count_present NOT NULL
        CONSTRAINT outbox_events_attempt_count_not_negative CHECK (attempt_count >= 0),
    next_attempt_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT outbox_events_next_attempt_at_present NOT NULL,
    delivered_at timestamptz,
    given_up_at timestamptz,
    last_answer text,
    CONSTRAINT outbox_events_once_per_step UNIQUE (aggregate_id, seq),
    CONSTRAINT outbox_events_end_once CHECK (delivered_at IS NULL OR given_up_at IS NULL)
);
COMMENT ON TABLE outbox_events IS 'Each change of state of a payment, refund or dispute, to be delivered at least once and in order per object.';
COMMENT ON COLUMN outbox_events.aggregate_id IS 'The payment, refund or dispute.';
COMMENT ON COLUMN outbox_events.seq IS 'The revision of the row that the event tells of; rising per object.';
CREATE INDEX idx_outbox_events_next_attempt_at_open
    ON outbox_events (next_attempt_at)
    WHERE delivered_at IS NULL AND given_up_at IS NULL;
CREATE TRIGGER outbox_events_are_kept
    BEFORE DELETE OR TRUNCATE ON outbox_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER outbox_events_keep_their_key
    BEFORE UPDATE OF id, aggregate_id, seq, event_type, body ON outbox_events
    FOR EACH ROW WHEN (
        (OLD.id, OLD.aggregate_id, OLD.seq, OLD.event_type, OLD.body)
        IS DISTINCT FROM (NEW.id, NEW.aggregate_id, NEW.seq, NEW.event_type, NEW.body)
    )
    EXECUTE FUNCTION refuse_new_key();

-- Amounts are written as text, so that no reader makes a float of them.
CREATE FUNCTION announce_state() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_row jsonb := to_jsonb(NEW);
BEGIN
    INSERT INTO outbox_events (aggregate_id, seq, event_type, body)
    VALUES (
        NEW.id,
        NEW.revision,
        format('%s.%s', NEW.kind, NEW.status),
        jsonb_strip_nulls(jsonb_build_object(
            'id', NEW.id,
            'object', NEW.kind,
            'status', NEW.status,
            'user_id', v_row -> 'user_id',
            'payment_id', v_row -> 'payment_id',
            'currency', v_row -> 'currency',
            'amount', trim_scale(NEW.amount)::text,
            'reason', coalesce(v_row -> 'failure_reason', v_row -> 'reason')
        ))
    );
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION announce_state() IS 'Trigger of payments and claims: writes each new state to outbox_events.';
CREATE TRIGGER payment_transactions_insert_is_announced
    AFTER INSERT ON payment_transactions
    FOR EACH ROW EXECUTE FUNCTION announce_state();
CREATE TRIGGER payment_transactions_update_is_announced
    AFTER UPDATE ON payment_transactions
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION announce_state();
ALTER TABLE payment_transactions ENABLE ALWAYS TRIGGER payment_transactions_insert_is_announced;
ALTER TABLE payment_transactions ENABLE ALWAYS TRIGGER payment_transactions_update_is_announced;
CREATE TRIGGER payment_claims_insert_is_announced
    AFTER INSERT ON payment_claims
    FOR EACH ROW EXECUTE FUNCTION announce_state();
CREATE TRIGGER payment_claims_update_is_announced
    AFTER UPDATE ON payment_claims
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION announce_state();
ALTER TABLE payment_claims ENABLE ALWAYS TRIGGER payment_claims_insert_is_announced;
ALTER TABLE payment_claims ENABLE ALWAYS TRIGGER payment_claims_update_is_announced;

-- Reconciliation: the provider's statement beside our payments and our ledger.
CREATE TABLE provider_statements (
    id uuid DEFAULT uuidv7()
        CONSTRAINT provider_statements_pkey PRIMARY KEY,
    provider text
        CONSTRAINT provider_statements_provider_present NOT NULL
        CONSTRAINT provider_statements_provider_known CHECK (provider IN ('cards', 'chain')),
    digest text
        CONSTRAINT provider_statements_digest_present NOT NULL,
    format text
        CONSTRAINT provider_statements_format_present NOT NULL
        CONSTRAINT provider_statements_format_known CHECK (format IN ('csv', 'camt.053')),
    withdrawn_before integer DEFAULT 0
        CONSTRAINT provider_statements_withdrawn_before_present NOT NULL
        CONSTRAINT provider_statements_withdrawn_before_not_negative CHECK (withdrawn_before >= 0),
    imported_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT provider_statements_imported_at_present NOT NULL,
    CONSTRAINT provider_statements_imported_once UNIQUE (provider, digest, withdrawn_before)
);
COMMENT ON TABLE provider_statements IS 'Statements of providers that were read, each file once per provider, or again once it was withdrawn; append-only.';
COMMENT ON COLUMN provider_statements.digest IS 'SHA-256 of the file.';
COMMENT ON COLUMN provider_statements.withdrawn_before IS 'How often the same file had been withdrawn when it was read.';
CREATE TRIGGER provider_statements_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON provider_statements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE provider_statement_lines (
    statement_id uuid
        CONSTRAINT provider_statement_lines_statement_id_present NOT NULL
        CONSTRAINT provider_statement_lines_statement_exists REFERENCES provider_statements (id) ON DELETE RESTRICT,
    line_number integer
        CONSTRAINT provider_statement_lines_line_number_present NOT NULL
        CONSTRAINT provider_statement_lines_line_number_positive CHECK (line_number > 0),
    kind text
        CONSTRAINT provider_statement_lines_kind_present NOT NULL
        CONSTRAINT provider_statement_lines_kind_known CHECK (kind IN ('deposit', 'withdrawal', 'return', 'refund', 'dispute')),
    reference text
        CONSTRAINT provider_statement_lines_reference_present NOT NULL,
    currency text
        CONSTRAINT provider_statement_lines_currency_present NOT NULL
        CONSTRAINT provider_statement_lines_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    amount numeric(20, 8)
        CONSTRAINT provider_statement_lines_amount_present NOT NULL
        CONSTRAINT provider_statement_lines_amount_positive CHECK (amount > 0 AND amount < 'Infinity'),
    fee numeric(20, 8)
        CONSTRAINT provider_statement_lines_fee_present NOT NULL
        CONSTRAINT provider_statement_lines_fee_not_negative CHECK (fee >= 0 AND fee < 'Infinity'),
    booked_on date
        CONSTRAINT provider_statement_lines_booked_on_present NOT NULL,
    CONSTRAINT provider_statement_lines_pkey PRIMARY KEY (statement_id, line_number)
);
COMMENT ON TABLE provider_statement_lines IS 'One booking each, as the provider states it; append-only.';
COMMENT ON COLUMN provider_statement_lines.kind IS 'return: a withdrawal, refund or dispute that went out and came back.';
COMMENT ON COLUMN provider_statement_lines.reference IS 'The payment''s reference, or the claim''s for refunds and disputes.';
COMMENT ON COLUMN provider_statement_lines.booked_on IS 'The provider''s day, in UTC.';
CREATE INDEX idx_provider_statement_lines_reference
    ON provider_statement_lines (reference);
CREATE INDEX idx_provider_statement_lines_currency_booked_on
    ON provider_statement_lines (currency, booked_on);
CREATE TRIGGER provider_statement_lines_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON provider_statement_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE reconciliation_breaks (
    id uuid DEFAULT uuidv7()
        CONSTRAINT reconciliation_breaks_pkey PRIMARY KEY,
    provider text
        CONSTRAINT reconciliation_breaks_provider_present NOT NULL
        CONSTRAINT reconciliation_breaks_provider_known CHECK (provider IN ('cards', 'chain')),
    kind text
        CONSTRAINT reconciliation_breaks_kind_present NOT NULL,
    reference text
        CONSTRAINT reconciliation_breaks_reference_present NOT NULL,
    bucket text
        CONSTRAINT reconciliation_breaks_bucket_present NOT NULL
        CONSTRAINT reconciliation_breaks_bucket_known CHECK (bucket IN (
            'internal_only', 'external_only', 'amount_mismatch', 'status_mismatch', 'ledger_mismatch', 'duplicate',
            'timing'
        )),
    details jsonb
        CONSTRAINT reconciliation_breaks_details_present NOT NULL,
    opened_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT reconciliation_breaks_opened_at_present NOT NULL,
    closed_at timestamptz
);
COMMENT ON TABLE reconciliation_breaks IS 'Each difference between payments, ledger and statements, from the run that found it to the run that no longer did: its age is how long nobody has settled it.';
CREATE UNIQUE INDEX idx_reconciliation_breaks_provider_open
    ON reconciliation_breaks (provider, kind, reference, bucket)
    WHERE closed_at IS NULL;
CREATE TRIGGER reconciliation_breaks_are_kept
    BEFORE DELETE OR TRUNCATE ON reconciliation_breaks
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE payment_settlements (
    id uuid DEFAULT uuidv7()
        CONSTRAINT payment_settlements_pkey PRIMARY KEY,
    provider text
        CONSTRAINT payment_settlements_provider_present NOT NULL
        CONSTRAINT payment_settlements_provider_known CHECK (provider IN ('cards', 'chain')),
    currency text
        CONSTRAINT payment_settlements_currency_present NOT NULL
        CONSTRAINT payment_settlements_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    settled_on date
        CONSTRAINT payment_settlements_settled_on_present NOT NULL,
    deposits numeric(20, 8)
        CONSTRAINT payment_settlements_deposits_present NOT NULL
        CONSTRAINT payment_settlements_deposits_not_negative CHECK (deposits >= 0 AND deposits < 'Infinity'),
    withdrawals numeric(20, 8)
        CONSTRAINT payment_settlements_withdrawals_present NOT NULL
        CONSTRAINT payment_settlements_withdrawals_not_negative CHECK (withdrawals >= 0 AND withdrawals < 'Infinity'),
    returns numeric(20, 8)
        CONSTRAINT payment_settlements_returns_present NOT NULL
        CONSTRAINT payment_settlements_returns_not_negative CHECK (returns >= 0 AND returns < 'Infinity'),
    refunds numeric(20, 8)
        CONSTRAINT payment_settlements_refunds_present NOT NULL
        CONSTRAINT payment_settlements_refunds_not_negative CHECK (refunds >= 0 AND refunds < 'Infinity'),
    disputes numeric(20, 8)
        CONSTRAINT payment_settlements_disputes_present NOT NULL
        CONSTRAINT payment_settlements_disputes_not_negative CHECK (disputes >= 0 AND disputes < 'Infinity'),
    fees numeric(20, 8)
        CONSTRAINT payment_settlements_fees_present NOT NULL
        CONSTRAINT payment_settlements_fees_not_negative CHECK (fees >= 0 AND fees < 'Infinity'),
    net numeric(20, 8)
        CONSTRAINT payment_settlements_net_present NOT NULL
        CONSTRAINT payment_settlements_net_adds_up CHECK (net = deposits + returns - withdrawals - refunds - disputes - fees)
        CONSTRAINT payment_settlements_net_finite CHECK (net > '-Infinity' AND net < 'Infinity'),
    line_count integer
        CONSTRAINT payment_settlements_line_count_present NOT NULL
        CONSTRAINT payment_settlements_line_count_positive CHECK (line_count > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT payment_settlements_created_at_present NOT NULL
);
COMMENT ON TABLE payment_settlements IS 'What lines of a provider''s day come to: the transfers with the settlement''s id book its net to the bank and its fees to the house''s costs. A day has several when lines came late. Append-only.';
CREATE INDEX idx_payment_settlements_currency
    ON payment_settlements (currency);
CREATE INDEX idx_payment_settlements_provider_settled_on
    ON payment_settlements (provider, settled_on);
CREATE TRIGGER payment_settlements_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_settlements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE payment_settlement_lines (
    statement_id uuid
        CONSTRAINT payment_settlement_lines_statement_id_present NOT NULL,
    line_number integer
        CONSTRAINT payment_settlement_lines_line_number_present NOT NULL,
    settlement_id uuid
        CONSTRAINT payment_settlement_lines_settlement_id_present NOT NULL
        CONSTRAINT payment_settlement_lines_settlement_exists REFERENCES payment_settlements (id) ON DELETE RESTRICT,
    CONSTRAINT payment_settlement_lines_pkey PRIMARY KEY (statement_id, line_number),
    CONSTRAINT payment_settlement_lines_line_exists FOREIGN KEY (statement_id, line_number)
        REFERENCES provider_statement_lines (statement_id, line_number) ON DELETE RESTRICT
);
COMMENT ON TABLE payment_settlement_lines IS 'Which settlement has taken a line of a statement: each line is settled once. Append-only.';
CREATE INDEX idx_payment_settlement_lines_settlement_id
    ON payment_settlement_lines (settlement_id);
CREATE TRIGGER payment_settlement_lines_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_settlement_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A statement that was read for the wrong provider, or that the provider takes back: its lines count no
-- more from then on. What was settled by them is money that has moved, and is not taken back this way.
CREATE TABLE provider_statement_withdrawals (
    statement_id uuid
        CONSTRAINT provider_statement_withdrawals_pkey PRIMARY KEY
        CONSTRAINT provider_statement_withdrawals_statement_exists REFERENCES provider_statements (id) ON DELETE RESTRICT,
    actor text
        CONSTRAINT provider_statement_withdrawals_actor_present NOT NULL
        CONSTRAINT provider_statement_withdrawals_actor_not_empty CHECK (actor <> ''),
    reason text
        CONSTRAINT provider_statement_withdrawals_reason_present NOT NULL
        CONSTRAINT provider_statement_withdrawals_reason_not_empty CHECK (reason <> ''),
    withdrawn_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT provider_statement_withdrawals_withdrawn_at_present NOT NULL
);
COMMENT ON TABLE provider_statement_withdrawals IS 'Which statements count no more, by whom and why. Append-only.';
CREATE TRIGGER provider_statement_withdrawals_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON provider_statement_withdrawals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Who withdraws and who settles take turns, whoever writes: neither looks before the other has ended.
CREATE FUNCTION settled_statements_stay() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM take_turn('reconciliation/' || s.provider) FROM provider_statements AS s WHERE s.id = NEW.statement_id;
    IF EXISTS (SELECT FROM payment_settlement_lines AS x WHERE x.statement_id = NEW.statement_id) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW053',
            MESSAGE = format('statement "%s" cannot be withdrawn', NEW.statement_id),
            DETAIL = 'Lines of it were settled, and their money has moved.',
            HINT = 'Have the provider correct it by a later statement.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION settled_statements_stay() IS 'Trigger of provider_statement_withdrawals: refuses a statement of which a line was settled (SQLSTATE TW053).';
CREATE TRIGGER provider_statement_withdrawals_spare_settled
    BEFORE INSERT ON provider_statement_withdrawals
    FOR EACH ROW EXECUTE FUNCTION settled_statements_stay();

CREATE FUNCTION withdrawn_statements_settle_nothing() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_statement_id uuid;
BEGIN
    PERFORM take_turn('reconciliation/' || p.provider)
    FROM (
        SELECT DISTINCT s.provider
        FROM new_lines AS n
        JOIN provider_statements AS s ON s.id = n.statement_id
        ORDER BY s.provider
    ) AS p;
    SELECT w.statement_id INTO v_statement_id
    FROM provider_statement_withdrawals AS w
    WHERE w.statement_id IN (SELECT n.statement_id FROM new_lines AS n)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW053',
            MESSAGE = format('a line of statement "%s" cannot be settled', v_statement_id),
            DETAIL = 'The statement was withdrawn, and its lines count no more.',
            HINT = 'Read the file again if it was right.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION withdrawn_statements_settle_nothing() IS 'Trigger of payment_settlement_lines: refuses a line of a statement that was withdrawn (SQLSTATE TW053).';
CREATE TRIGGER payment_settlement_lines_are_of_kept_statements
    AFTER INSERT ON payment_settlement_lines
    REFERENCING NEW TABLE AS new_lines
    FOR EACH STATEMENT EXECUTE FUNCTION withdrawn_statements_settle_nothing();

-- Seals over the ledger. Writing a hash with each entry would be paid for by every order; so a seal
-- keeps the hashes of what was committed since the seal before, and follows from that seal's head.
-- The hash of each entry is kept, so that verification names the first that does not hold.

-- What is hashed of an entry. The version is not: a hash's place among the sealed ones says it, and
-- an entry that was moved is known again. docs/explain/sealed-ledger.md tells the format.
CREATE FUNCTION ledger_entry_hash(p_entry balance_ledger) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256('\x00'::bytea || convert_to(
        concat_ws(
            '|',
            p_entry.holder_id,
            p_entry.user_id,
            p_entry.currency,
            p_entry.transaction_id,
            p_entry.operation,
            p_entry.effect,
            p_entry.amount,
            p_entry.available_before,
            p_entry.available_after,
            p_entry.reserved_before,
            p_entry.reserved_after,
            coalesce(p_entry.transfer_id::text, ''),
            coalesce(p_entry.hold_id::text, ''),
            to_char(p_entry.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        ),
        'UTF8'
    ))
$$;
COMMENT ON FUNCTION ledger_entry_hash(balance_ledger) IS 'sha256 of what an entry says, its version left out.';

CREATE FUNCTION ledger_transfer_hash(p_transfer transfers) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256('\x01'::bytea || convert_to(
        concat_ws(
            '|',
            p_transfer.id,
            p_transfer.transaction_id,
            p_transfer.operation,
            p_transfer.debit_holder_id,
            p_transfer.credit_holder_id,
            p_transfer.currency,
            p_transfer.amount,
            coalesce(p_transfer.reverses_id::text, ''),
            to_char(p_transfer.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            p_transfer.txid
        ),
        'UTF8'
    ))
$$;
COMMENT ON FUNCTION ledger_transfer_hash(transfers) IS 'sha256 of what a transfer says.';

CREATE TABLE ledger_seals (
    seq bigint
        CONSTRAINT ledger_seals_pkey PRIMARY KEY
        CONSTRAINT ledger_seals_seq_positive CHECK (seq > 0),
    from_txid bigint
        CONSTRAINT ledger_seals_from_txid_present NOT NULL,
    to_txid bigint
        CONSTRAINT ledger_seals_to_txid_present NOT NULL,
    entry_count bigint
        CONSTRAINT ledger_seals_entry_count_present NOT NULL
        CONSTRAINT ledger_seals_entry_count_not_negative CHECK (entry_count >= 0),
    transfer_count bigint
        CONSTRAINT ledger_seals_transfer_count_present NOT NULL
        CONSTRAINT ledger_seals_transfer_count_not_negative CHECK (transfer_count >= 0),
    transfer_hashes bytea STORAGE EXTERNAL
        CONSTRAINT ledger_seals_transfer_hashes_present NOT NULL,
    digest bytea
        CONSTRAINT ledger_seals_digest_present NOT NULL
        CONSTRAINT ledger_seals_digest_is_sha256 CHECK (length(digest) = 32),
    head bytea
        CONSTRAINT ledger_seals_head_present NOT NULL
        CONSTRAINT ledger_seals_head_is_sha256 CHECK (length(head) = 32),
    sealed_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT ledger_seals_sealed_at_present NOT NULL,
    CONSTRAINT ledger_seals_range_in_order CHECK (from_txid <= to_txid),
    CONSTRAINT ledger_seals_seal_something CHECK (entry_count + transfer_count > 0),
    CONSTRAINT ledger_seals_hashes_are_of_its_transfers CHECK (length(transfer_hashes) = 48 * transfer_count)
);
COMMENT ON TABLE ledger_seals IS 'Chain of digests over transfers and balance_ledger: each seal covers what was committed since the one before, and that seal. Append-only.';
COMMENT ON COLUMN ledger_seals.to_txid IS 'Transfers of the transactions from from_txid up to this one, exclusive, are covered; none of them was still running.';
COMMENT ON COLUMN ledger_seals.transfer_hashes IS 'Id and sha256 of each transfer that is covered, 16 and 32 bytes, by id.';
COMMENT ON COLUMN ledger_seals.digest IS 'sha256 over the hashes of the seal''s segments and transfers.';
COMMENT ON COLUMN ledger_seals.head IS 'sha256 of the head before, the digest, the seal''s figures and its time; export it to a place that this server cannot write.';
CREATE TRIGGER ledger_seals_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE ledger_seal_segments (
    seal_seq bigint
        CONSTRAINT ledger_seal_segments_seal_seq_present NOT NULL
        CONSTRAINT ledger_seal_segments_seal_exists REFERENCES ledger_seals (seq) ON DELETE RESTRICT,
    holder_id uuid
        CONSTRAINT ledger_seal_segments_holder_id_present NOT NULL,
    from_version bigint
        CONSTRAINT ledger_seal_segments_from_version_present NOT NULL
        CONSTRAINT ledger_seal_segments_from_version_positive CHECK (from_version > 0),
    to_version bigint
        CONSTRAINT ledger_seal_segments_to_version_present NOT NULL,
    entry_hashes bytea STORAGE EXTERNAL
        CONSTRAINT ledger_seal_segments_entry_hashes_present NOT NULL,
    CONSTRAINT ledger_seal_segments_pkey PRIMARY KEY (seal_seq, holder_id),
    CONSTRAINT ledger_seal_segments_range_not_empty CHECK (from_version <= to_version),
    -- A holder whose versions have a gap cannot be sealed.
    CONSTRAINT ledger_seal_segments_hash_for_each_version CHECK (
        length(entry_hashes) = 32 * (to_version - from_version + 1)
    )
);
COMMENT ON TABLE ledger_seal_segments IS 'The entries of one holder that a seal covers, as their hashes in the order of versions. Append-only.';
COMMENT ON COLUMN ledger_seal_segments.entry_hashes IS 'sha256 of each entry from from_version to to_version, 32 bytes each.';
CREATE INDEX idx_ledger_seal_segments_holder_id_to_version
    ON ledger_seal_segments (holder_id, to_version);
CREATE TRIGGER ledger_seal_segments_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seal_segments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION ledger_segment_hash(p_holder_id uuid, p_from_version bigint, p_to_version bigint, p_entry_hashes bytea)
RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256('\x02'::bytea || convert_to(concat_ws('|', p_holder_id, p_from_version, p_to_version), 'UTF8') || p_entry_hashes)
$$;
COMMENT ON FUNCTION ledger_segment_hash(uuid, bigint, bigint, bytea) IS 'sha256 of a segment: whose entries, which versions, and their hashes.';

CREATE FUNCTION ledger_seal_head(p_before bytea, p_digest bytea, p_seal ledger_seals) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256('\x04'::bytea || p_before || p_digest || convert_to(
        concat_ws(
            '|',
            p_seal.seq,
            p_seal.from_txid,
            p_seal.to_txid,
            p_seal.entry_count,
            p_seal.transfer_count,
            to_char(p_seal.sealed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        ),
        'UTF8'
    ))
$$;
COMMENT ON FUNCTION ledger_seal_head(bytea, bytea, ledger_seals) IS 'sha256 that chains a seal to the one before, with when it was made.';

-- The transfers of a range of transactions as a seal keeps them, by id: all, or on a server that counts
-- anew, which may have added others, those that were sealed.
CREATE FUNCTION ledger_found_transfers(p_from_txid bigint, p_to_txid bigint, p_sealed bytea DEFAULT NULL)
RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    IF p_sealed IS NULL THEN
        RETURN (
            SELECT coalesce(string_agg(uuid_send(t.id) || ledger_transfer_hash(t), ''::bytea ORDER BY t.id), ''::bytea)
            FROM transfers AS t
            WHERE t.txid >= p_from_txid AND t.txid < p_to_txid
        );
    END IF;
    RETURN (
        SELECT coalesce(string_agg(uuid_send(t.id) || ledger_transfer_hash(t), ''::bytea ORDER BY t.id), ''::bytea)
        FROM transfers AS t
        JOIN (
            SELECT encode(substr(p_sealed, 48 * n + 1, 16), 'hex')::uuid AS id
            FROM generate_series(0, length(p_sealed) / 48 - 1) AS n
        ) AS s ON s.id = t.id
        WHERE t.txid >= p_from_txid AND t.txid < p_to_txid
    );
END;
$$;
COMMENT ON FUNCTION ledger_found_transfers(bigint, bigint, bytea) IS 'Ids and hashes of the transfers of a range of transactions, by id; where p_sealed is given, of those in it.';

-- Seals what was committed since the last seal, transfers at most p_transfers_max more than those of
-- one transaction; returns the seal, or a row of NULLs when there was nothing to seal. A holder's entries need no horizon: who writes a
-- version has waited for the one before to be committed, so what is seen of a holder has no gap.
CREATE FUNCTION seal_ledger(p_transfers_max integer DEFAULT 100000) RETURNS ledger_seals
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
DECLARE
    v_last ledger_seals;
    v_new ledger_seals;
BEGIN
    LOCK TABLE ledger_seals IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO v_last FROM ledger_seals ORDER BY seq DESC LIMIT 1;
    PERFORM refuse_counting_anew('ledger', v_last.to_txid);
    v_new.seq := coalesce(v_last.seq, 0) + 1;
    v_new.sealed_at := clock_timestamp();
    v_new.from_txid := coalesce(v_last.to_txid, 0);
    v_new.to_txid := greatest(v_new.from_txid, txid_snapshot_xmin(txid_current_snapshot()));
    v_new.to_txid := coalesce(
        (
            SELECT t.txid + 1
            FROM transfers AS t
            WHERE t.txid >= v_new.from_txid AND t.txid < v_new.to_txid
            ORDER BY t.txid
            OFFSET p_transfers_max
            LIMIT 1
        ),
        v_new.to_txid
    );
    SELECT count(*), coalesce(string_agg(uuid_send(t.id) || ledger_transfer_hash(t), ''::bytea ORDER BY t.id), ''::bytea)
    INTO v_new.transfer_count, v_new.transfer_hashes
    FROM transfers AS t
    WHERE t.txid >= v_new.from_txid AND t.txid < v_new.to_txid;
    WITH segments AS (
        INSERT INTO ledger_seal_segments (seal_seq, holder_id, from_version, to_version, entry_hashes)
        SELECT
            v_new.seq,
            h.holder_id,
            coalesce(last.to_version, 0) + 1,
            max(e.version),
            string_agg(ledger_entry_hash(e), ''::bytea ORDER BY e.version)
        FROM (
            SELECT holder_id, version FROM user_balances
            UNION ALL
            SELECT id, version FROM accounts
        ) AS h
        LEFT JOIN LATERAL (
            SELECT s.to_version
            FROM ledger_seal_segments AS s
            WHERE s.holder_id = h.holder_id
            ORDER BY s.to_version DESC
            LIMIT 1
        ) AS last ON true
        JOIN balance_ledger AS e ON e.holder_id = h.holder_id AND e.version > coalesce(last.to_version, 0)
        WHERE h.version > coalesce(last.to_version, 0)
        GROUP BY h.holder_id, last.to_version
        RETURNING holder_id, from_version, to_version, entry_hashes
    ), covered AS (
        SELECT
            coalesce(sum(to_version - from_version + 1), 0)::bigint AS entry_count,
            coalesce(
                string_agg(ledger_segment_hash(holder_id, from_version, to_version, entry_hashes), ''::bytea ORDER BY holder_id),
                ''::bytea
            ) AS hashes
        FROM segments
    )
    INSERT INTO ledger_seals (
        seq, from_txid, to_txid, entry_count, transfer_count, transfer_hashes, digest, head, sealed_at
    )
    SELECT
        v_new.seq,
        v_new.from_txid,
        v_new.to_txid,
        c.entry_count,
        v_new.transfer_count,
        v_new.transfer_hashes,
        d.digest,
        ledger_seal_head(
            coalesce(v_last.head, ''::bytea),
            d.digest,
            (
                v_new.seq, v_new.from_txid, v_new.to_txid, c.entry_count, v_new.transfer_count, NULL, NULL, NULL,
                v_new.sealed_at
            )::ledger_seals
        ),
        v_new.sealed_at
    FROM covered AS c
    CROSS JOIN LATERAL (SELECT sha256('\x03'::bytea || c.hashes || sha256(v_new.transfer_hashes)) AS digest) AS d
    WHERE c.entry_count + v_new.transfer_count > 0
    RETURNING * INTO v_new;
    RETURN v_new;
END;
$$;
COMMENT ON FUNCTION seal_ledger(integer) IS 'Seals the entries and transfers that were committed since the last seal; returns the seal, NULL when there was nothing.';
