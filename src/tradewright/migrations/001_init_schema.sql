-- 001: who trades, what is traded, and what came of it.
--
-- Everything stands in the schema that the migration runner puts first on the search path; no
-- name here is qualified, so that several brokers can live side by side, one schema each.
-- Keys are time-ordered UUIDs (version 7), money is numeric(20, 8) beside its currency, and each
-- constraint is named after the truth that it keeps, because callers read that name.
--
-- Foreign keys of the hottest tables (orders, order_fills, positions, trades; later transfers and
-- balance_ledger) are declared NOT ENFORCED: PostgreSQL would look each row up by itself, which
-- costs more than writing it. Triggers of 003 and 006 look up the rows of a whole statement at
-- once instead, and what is referred to is never deleted and keeps its key. Any of these
-- constraints can be checked whole at any time: ALTER TABLE ... ALTER CONSTRAINT ... ENFORCED.

-- What a single column may hold is said by its type where a table is written often: a server reads the
-- text of a CHECK of a table for every statement that writes, and keeps that of a type.
CREATE DOMAIN positive_quantity AS numeric(20, 8)
    CONSTRAINT positive_quantity_positive CHECK (VALUE > 0 AND VALUE < 'Infinity');
COMMENT ON DOMAIN positive_quantity IS 'Units of a base currency: above zero and finite.';
CREATE DOMAIN signed_quantity AS numeric(20, 8)
    CONSTRAINT signed_quantity_finite CHECK (VALUE > '-Infinity' AND VALUE < 'Infinity');
COMMENT ON DOMAIN signed_quantity IS 'Units of a base currency: long above zero, short below.';
CREATE DOMAIN traded_quantity AS numeric(20, 8)
    CONSTRAINT traded_quantity_not_zero CHECK (VALUE <> 0 AND VALUE > '-Infinity' AND VALUE < 'Infinity');
COMMENT ON DOMAIN traded_quantity IS 'By how much a position changes, in units of its base currency: bought above zero, sold below.';
CREATE DOMAIN positive_price AS numeric(20, 8)
    CONSTRAINT positive_price_positive CHECK (VALUE > 0 AND VALUE < 'Infinity');
COMMENT ON DOMAIN positive_price IS 'Units of a quote currency for one of a base currency: above zero and finite.';
CREATE DOMAIN positive_rate AS numeric(24, 12)
    CONSTRAINT positive_rate_positive CHECK (VALUE > 0 AND VALUE < 'Infinity');
COMMENT ON DOMAIN positive_rate IS 'Units of one currency for one of another: above zero and finite.';
CREATE DOMAIN signed_money AS numeric(20, 8)
    CONSTRAINT signed_money_finite CHECK (VALUE > '-Infinity' AND VALUE < 'Infinity');
COMMENT ON DOMAIN signed_money IS 'Money that may be above or below zero, and is finite.';
CREATE DOMAIN charged_money AS numeric(20, 8)
    CONSTRAINT charged_money_not_negative CHECK (VALUE >= 0 AND VALUE < 'Infinity');
COMMENT ON DOMAIN charged_money IS 'Money that is charged: never below zero.';
CREATE DOMAIN lent_money AS numeric(20, 8)
    CONSTRAINT lent_money_not_negative CHECK (VALUE >= 0 AND VALUE < 'Infinity');
COMMENT ON DOMAIN lent_money IS 'Money that is lent: never below zero.';
CREATE DOMAIN record_version AS integer
    CONSTRAINT record_version_positive CHECK (VALUE > 0);
COMMENT ON DOMAIN record_version IS 'Number of a row''s last record, from one on.';
CREATE DOMAIN finite_instant AS timestamptz
    CONSTRAINT finite_instant_finite CHECK (isfinite(VALUE));
COMMENT ON DOMAIN finite_instant IS 'An instant that comes.';
CREATE DOMAIN client_key AS text
    CONSTRAINT client_key_is_plain CHECK (length(VALUE) BETWEEN 1 AND 64 AND VALUE !~ '[^A-Za-z0-9._:-]');
COMMENT ON DOMAIN client_key IS 'A key that a client makes: 1 to 64 letters, digits, and . _ : -';
CREATE DOMAIN tags AS jsonb
    CONSTRAINT tags_are_an_object CHECK (jsonb_typeof(VALUE) = 'object');
COMMENT ON DOMAIN tags IS 'A JSON object.';
CREATE DOMAIN order_side AS text
    CONSTRAINT order_side_known CHECK (VALUE IN ('buy', 'sell'));
COMMENT ON DOMAIN order_side IS 'FIX Side (54): buy 1, sell 2.';
CREATE DOMAIN order_kind AS text
    CONSTRAINT order_kind_known CHECK (VALUE IN (
        'market', 'limit', 'stop', 'stop_limit', 'trailing_stop', 'take_profit'
    ));
COMMENT ON DOMAIN order_kind IS 'FIX OrdType (40).';
CREATE DOMAIN time_in_force AS text
    CONSTRAINT time_in_force_known CHECK (VALUE IN ('day', 'gtc', 'gtd', 'ioc', 'fok'));
COMMENT ON DOMAIN time_in_force IS 'FIX TimeInForce (59).';
CREATE DOMAIN order_origin AS text
    CONSTRAINT order_origin_known CHECK (VALUE IN ('client', 'stop_loss', 'take_profit', 'stop_out'));
COMMENT ON DOMAIN order_origin IS 'The client, or the watcher that proposed the order.';
CREATE DOMAIN order_status AS text
    CONSTRAINT order_status_known CHECK (VALUE IN (
        'pending_new', 'new', 'partially_filled', 'pending_cancel', 'pending_replace', 'filled',
        'canceled', 'rejected', 'expired'
    ));
COMMENT ON DOMAIN order_status IS 'FIX OrdStatus (39).';
CREATE DOMAIN order_event_type AS text
    CONSTRAINT order_event_type_known CHECK (VALUE IN (
        'pending_new', 'new', 'trade', 'triggered', 'restated', 'replaced', 'pending_cancel',
        'pending_replace', 'canceled', 'rejected', 'expired'
    ));
COMMENT ON DOMAIN order_event_type IS 'FIX ExecType (150).';
CREATE DOMAIN refusing_party AS text
    CONSTRAINT refusing_party_known CHECK (VALUE IN ('house', 'provider'));
COMMENT ON DOMAIN refusing_party IS 'Who refused an order.';
CREATE DOMAIN book_code AS text
    CONSTRAINT book_code_known CHECK (VALUE IN ('A', 'B', 'hybrid'));
COMMENT ON DOMAIN book_code IS 'Who takes the other side: a provider (A), the house (B), or either, decided for each order.';
CREATE DOMAIN account_status AS text
    CONSTRAINT account_status_known CHECK (VALUE IN ('active', 'suspended', 'closed'));
COMMENT ON DOMAIN account_status IS 'What an account may do.';
CREATE DOMAIN position_mode AS text
    CONSTRAINT position_mode_known CHECK (VALUE IN ('netting', 'hedging', 'fifo'));
COMMENT ON DOMAIN position_mode IS 'How fills become positions.';
CREATE DOMAIN trade_effect AS text
    CONSTRAINT trade_effect_known CHECK (VALUE IN ('open', 'close', 'reverse'));
COMMENT ON DOMAIN trade_effect IS 'What a trade does to its position.';

CREATE TABLE currencies (
    code text
        CONSTRAINT currencies_pkey PRIMARY KEY
        CONSTRAINT currencies_code_is_capitals_or_digits CHECK (code ~ '^[A-Z0-9]{2,10}$'),
    minor_units smallint
        CONSTRAINT currencies_minor_units_present NOT NULL
        CONSTRAINT currencies_minor_units_within_scale CHECK (minor_units BETWEEN 0 AND 8)
);
COMMENT ON TABLE currencies IS 'Currencies that may be held, with the scale of their smallest unit.';
COMMENT ON COLUMN currencies.minor_units IS 'Decimals of the smallest unit; finer amounts are refused, never rounded.';

INSERT INTO currencies (code, minor_units) VALUES
    ('AUD', 2),
    ('BTC', 8),
    ('CAD', 2),
    ('CHF', 2),
    ('ETH', 8),
    ('EUR', 2),
    ('GBP', 2),
    ('JPY', 0),
    ('NZD', 2),
    ('USD', 2),
    ('XAU', 4);

CREATE TABLE users (
    id uuid DEFAULT uuidv7()
        CONSTRAINT users_pkey PRIMARY KEY,
    email text
        CONSTRAINT users_email_present NOT NULL
        CONSTRAINT users_email_has_one_at CHECK (email ~ '^[^@\s]+@[^@\s]+$')
        CONSTRAINT users_email_in_small_letters CHECK (email = lower(email))
        CONSTRAINT users_email_unique UNIQUE,
    client_class text DEFAULT 'retail'
        CONSTRAINT users_client_class_present NOT NULL
        CONSTRAINT users_client_class_known CHECK (client_class IN ('retail', 'professional')),
    kyc_level smallint DEFAULT 0
        CONSTRAINT users_kyc_level_present NOT NULL
        CONSTRAINT users_kyc_level_in_range CHECK (kyc_level BETWEEN 0 AND 4),
    status text DEFAULT 'active'
        CONSTRAINT users_status_present NOT NULL
        CONSTRAINT users_status_known CHECK (status IN ('active', 'suspended', 'closed')),
    revision integer DEFAULT 1
        CONSTRAINT users_revision_present NOT NULL
        CONSTRAINT users_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT users_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT users_updated_at_present NOT NULL
);
COMMENT ON TABLE users IS 'Persons and firms known to the broker: clients and staff.';
COMMENT ON COLUMN users.client_class IS 'MiFID II class, retail until somebody has found otherwise; retail clients trade under the leverage caps of ESMA Decision (EU) 2018/796.';
COMMENT ON COLUMN users.kyc_level IS '0 email, 1 name and birth date, 2 address, 3 proof of address and funds, 4 business.';
COMMENT ON COLUMN users.revision IS 'Counts the audited changes of the row; equals its rows in audit_log.';

CREATE TABLE user_roles (
    id uuid DEFAULT uuidv7()
        CONSTRAINT user_roles_pkey PRIMARY KEY,
    user_id uuid
        CONSTRAINT user_roles_user_id_present NOT NULL
        CONSTRAINT user_roles_user_exists REFERENCES users (id) ON DELETE RESTRICT,
    role text
        CONSTRAINT user_roles_role_present NOT NULL
        CONSTRAINT user_roles_role_known CHECK (role IN (
            'trader', 'dealer', 'risk_officer', 'payments_officer', 'compliance_officer', 'administrator'
        )),
    revision integer DEFAULT 1
        CONSTRAINT user_roles_revision_present NOT NULL
        CONSTRAINT user_roles_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT user_roles_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT user_roles_updated_at_present NOT NULL,
    CONSTRAINT user_roles_granted_once UNIQUE (user_id, role)
);
COMMENT ON TABLE user_roles IS 'What a user may do: traders open accounts, payments officers approve withdrawals of others; what staff may do from outside is in access/rules.';
COMMENT ON COLUMN user_roles.revision IS 'Counts the audited changes of the row; equals its rows in audit_log.';

CREATE TABLE instruments (
    id uuid DEFAULT uuidv7()
        CONSTRAINT instruments_pkey PRIMARY KEY,
    symbol text
        CONSTRAINT instruments_symbol_present NOT NULL
        CONSTRAINT instruments_symbol_is_capitals_or_digits CHECK (symbol ~ '^[A-Z0-9]{3,12}$')
        CONSTRAINT instruments_symbol_unique UNIQUE,
    base_currency text
        CONSTRAINT instruments_base_currency_present NOT NULL
        CONSTRAINT instruments_base_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    quote_currency text
        CONSTRAINT instruments_quote_currency_present NOT NULL
        CONSTRAINT instruments_quote_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    asset_class text
        CONSTRAINT instruments_asset_class_present NOT NULL
        CONSTRAINT instruments_asset_class_known CHECK (asset_class IN (
            'fx_major', 'fx_minor', 'gold', 'index_major', 'index_minor', 'commodity', 'equity', 'crypto'
        )),
    quantity_step numeric(20, 8)
        CONSTRAINT instruments_quantity_step_present NOT NULL
        CONSTRAINT instruments_quantity_step_positive CHECK (quantity_step > 0 AND quantity_step < 'Infinity'),
    quantity_min numeric(20, 8)
        CONSTRAINT instruments_quantity_min_present NOT NULL
        CONSTRAINT instruments_quantity_min_on_step CHECK (quantity_min > 0 AND quantity_min % quantity_step = 0),
    quantity_max numeric(20, 8)
        CONSTRAINT instruments_quantity_max_present NOT NULL
        CONSTRAINT instruments_quantity_max_not_below_min CHECK (quantity_max >= quantity_min AND quantity_max < 'Infinity'),
    price_tick numeric(20, 8)
        CONSTRAINT instruments_price_tick_present NOT NULL
        CONSTRAINT instruments_price_tick_positive CHECK (price_tick > 0 AND price_tick < 'Infinity'),
    leverage_max integer
        CONSTRAINT instruments_leverage_max_present NOT NULL
        CONSTRAINT instruments_leverage_max_in_range CHECK (leverage_max BETWEEN 1 AND 500),
    leverage_max_retail integer
        CONSTRAINT instruments_leverage_max_retail_present NOT NULL
        CONSTRAINT instruments_leverage_max_retail_in_range CHECK (leverage_max_retail BETWEEN 1 AND leverage_max),
    contract_size numeric(20, 8) DEFAULT 100000
        CONSTRAINT instruments_contract_size_present NOT NULL
        CONSTRAINT instruments_contract_size_positive CHECK (contract_size > 0 AND contract_size < 'Infinity'),
    margin_rate numeric(20, 8) DEFAULT 0
        CONSTRAINT instruments_margin_rate_present NOT NULL
        CONSTRAINT instruments_margin_rate_is_a_share CHECK (margin_rate BETWEEN 0 AND 1),
    margin_rate_min_retail numeric(20, 8) DEFAULT 0
        CONSTRAINT instruments_margin_rate_min_retail_present NOT NULL
        CONSTRAINT instruments_margin_rate_min_retail_is_a_share CHECK (margin_rate_min_retail BETWEEN 0 AND 1),
    commission_per_million numeric(20, 8)
        CONSTRAINT instruments_commission_per_million_present NOT NULL
        CONSTRAINT instruments_commission_per_million_within_trade CHECK (commission_per_million BETWEEN 0 AND 1000000),
    quote_age_ms_max integer DEFAULT 5000
        CONSTRAINT instruments_quote_age_ms_max_present NOT NULL
        CONSTRAINT instruments_quote_age_ms_max_positive CHECK (quote_age_ms_max > 0),
    is_tradable boolean DEFAULT true
        CONSTRAINT instruments_is_tradable_present NOT NULL,
    revision integer DEFAULT 1
        CONSTRAINT instruments_revision_present NOT NULL
        CONSTRAINT instruments_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT instruments_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT instruments_updated_at_present NOT NULL,
    CONSTRAINT instruments_currencies_differ CHECK (base_currency <> quote_currency),
    CONSTRAINT instruments_leverage_max_retail_within_class CHECK (
        leverage_max_retail <= CASE asset_class
            WHEN 'fx_major' THEN 30
            WHEN 'fx_minor' THEN 20
            WHEN 'gold' THEN 20
            WHEN 'index_major' THEN 20
            WHEN 'index_minor' THEN 10
            WHEN 'commodity' THEN 10
            WHEN 'equity' THEN 5
            WHEN 'crypto' THEN 2
        END
    )
);
COMMENT ON TABLE instruments IS 'What can be traded: one currency (base) priced in another (quote).';
COMMENT ON COLUMN instruments.quantity_step IS 'Quantities are multiples of this, in units of the base currency.';
COMMENT ON COLUMN instruments.price_tick IS 'Prices given by clients are multiples of this, in quote currency.';
COMMENT ON COLUMN instruments.leverage_max_retail IS 'Cap for retail clients, at most that of the asset class in ESMA Decision (EU) 2018/796.';
COMMENT ON COLUMN instruments.asset_class IS 'Class by ESMA Decision (EU) 2018/796, annex I: caps the leverage of retail clients, and may be moved as a whole in a stress test.';
COMMENT ON COLUMN instruments.margin_rate IS 'The least share of the notional that any client''s position binds, as the house sets it; 0: the leverage alone decides.';
COMMENT ON COLUMN instruments.margin_rate_min_retail IS 'The same for retail clients, as the regulator sets it in percent rather than as a cap of leverage; 0: none.';
COMMENT ON COLUMN instruments.contract_size IS 'Units of the base currency in one lot.';
COMMENT ON COLUMN instruments.commission_per_million IS 'Where no commission_terms say otherwise: commission per side for one million of notional, both in the account''s currency.';
COMMENT ON COLUMN instruments.quote_age_ms_max IS 'A quote older than this is never traded on.';

CREATE TABLE ledger_holders (
    id uuid DEFAULT uuidv7()
        CONSTRAINT ledger_holders_pkey PRIMARY KEY,
    kind text
        CONSTRAINT ledger_holders_kind_present NOT NULL
        CONSTRAINT ledger_holders_kind_known CHECK (kind IN ('wallet', 'account', 'house')),
    currency text
        CONSTRAINT ledger_holders_currency_present NOT NULL
        CONSTRAINT ledger_holders_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    CONSTRAINT ledger_holders_id_currency_unique UNIQUE (id, currency),
    CONSTRAINT ledger_holders_id_kind_currency_unique UNIQUE (id, kind, currency)
);
COMMENT ON TABLE ledger_holders IS 'Whoever can hold money: a wallet, a trading account or a house account, each in one currency for ever.';

CREATE TABLE house_accounts (
    id uuid
        CONSTRAINT house_accounts_pkey PRIMARY KEY,
    kind text DEFAULT 'house'
        CONSTRAINT house_accounts_kind_present NOT NULL
        CONSTRAINT house_accounts_kind_is_house CHECK (kind = 'house'),
    code text
        CONSTRAINT house_accounts_code_present NOT NULL
        CONSTRAINT house_accounts_code_known CHECK (code IN (
            'clearing', 'clearing_cards', 'clearing_chain', 'bank', 'provider_costs', 'receivables', 'suspense',
            'fees', 'dealing', 'swaps', 'liquidity', 'negative_balance', 'exchange'
        )),
    currency text
        CONSTRAINT house_accounts_currency_present NOT NULL,
    CONSTRAINT house_accounts_one_per_currency UNIQUE (code, currency),
    CONSTRAINT house_accounts_holder_exists FOREIGN KEY (id, kind, currency)
        REFERENCES ledger_holders (id, kind, currency) ON DELETE RESTRICT
);
COMMENT ON TABLE house_accounts IS 'The broker''s own side of every movement; balances are rolled up from transfers (house_balances), never kept in a hot row.';
COMMENT ON COLUMN house_accounts.code IS 'clearing: money in and out through payment providers, one for each that settles later; bank: what they have paid out; provider_costs: their fees; receivables: what clients owe; suspense: what came for a deposit that was refused, until it is sent back; fees: commissions, and what swap-free accounts pay for nights; dealing: the result of trading against clients, and of hedging it; swaps: what positions pay and earn over the rollover; liquidity: what liquidity providers owe the house for its hedges, or the house them; negative_balance: the expense of forgiving negative balances; exchange: both sides of exchanges between currencies.';

CREATE TABLE account_groups (
    id uuid DEFAULT uuidv7()
        CONSTRAINT account_groups_pkey PRIMARY KEY,
    code text
        CONSTRAINT account_groups_code_present NOT NULL
        CONSTRAINT account_groups_code_is_plain CHECK (code ~ '^[a-z0-9_-]{2,32}$')
        CONSTRAINT account_groups_code_unique UNIQUE,
    position_mode text DEFAULT 'netting'
        CONSTRAINT account_groups_position_mode_present NOT NULL
        CONSTRAINT account_groups_position_mode_known CHECK (position_mode IN ('netting', 'hedging', 'fifo')),
    is_swap_free boolean DEFAULT false
        CONSTRAINT account_groups_is_swap_free_present NOT NULL,
    hedged_margin text DEFAULT 'sum'
        CONSTRAINT account_groups_hedged_margin_present NOT NULL
        CONSTRAINT account_groups_hedged_margin_known CHECK (hedged_margin IN ('sum', 'larger_leg', 'net')),
    margin_price text DEFAULT 'current'
        CONSTRAINT account_groups_margin_price_present NOT NULL
        CONSTRAINT account_groups_margin_price_known CHECK (margin_price IN ('current', 'open')),
    pending_margin text DEFAULT 'none'
        CONSTRAINT account_groups_pending_margin_present NOT NULL
        CONSTRAINT account_groups_pending_margin_known CHECK (pending_margin IN ('none', 'max_side')),
    regime text DEFAULT 'esma'
        CONSTRAINT account_groups_regime_present NOT NULL
        CONSTRAINT account_groups_regime_known CHECK (regime IN ('esma', 'us')),
    stop_out_mode text DEFAULT 'largest_loss'
        CONSTRAINT account_groups_stop_out_mode_present NOT NULL
        CONSTRAINT account_groups_stop_out_mode_known CHECK (stop_out_mode IN ('largest_loss', 'smart')),
    revision integer DEFAULT 1
        CONSTRAINT account_groups_revision_present NOT NULL
        CONSTRAINT account_groups_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT account_groups_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT account_groups_updated_at_present NOT NULL,
    CONSTRAINT account_groups_us_is_fifo CHECK (regime <> 'us' OR position_mode = 'fifo')
);
COMMENT ON TABLE account_groups IS 'Accounts that trade under the same conditions: what is set here holds for each account of the group.';
COMMENT ON COLUMN account_groups.position_mode IS 'netting: one net position per symbol; hedging: each opening fill has its own; fifo: the oldest is closed first.';
COMMENT ON COLUMN account_groups.is_swap_free IS 'Islamic accounts: positions pay and earn no interest over the rollover, but a fee if the instrument has one (swap_terms).';
COMMENT ON COLUMN account_groups.hedged_margin IS 'What longs and shorts side by side in a symbol bind: the sum of both, the larger leg, or what is left of them.';
COMMENT ON COLUMN account_groups.margin_price IS 'What positions are worth for margin: what they are worth now, or what they were when they were opened (opening_rates).';
COMMENT ON COLUMN account_groups.pending_margin IS 'What orders that rest bind: none, until they deal; max_side, in each symbol the larger of the position with all buys and the position with all sells.';
COMMENT ON COLUMN account_groups.regime IS 'Whose rules hold. esma: retail clients under the caps of Decision (EU) 2018/796; us: every client binds at least 2 percent in pairs of the dollar and the ten currencies of NFA Financial Requirements, Section 12, and 5 percent in others, and closes first in, first out, without hedging (Compliance Rule 2-43(b)).';
COMMENT ON COLUMN account_groups.stop_out_mode IS 'largest_loss: whole positions, the largest loss first; smart: of the largest margin no more than restores the level.';
COMMENT ON COLUMN account_groups.revision IS 'Counts the audited changes of the row; equals its rows in audit_log.';

INSERT INTO account_groups (code) VALUES ('standard');

CREATE TABLE commission_terms (
    id uuid DEFAULT uuidv7()
        CONSTRAINT commission_terms_pkey PRIMARY KEY,
    group_code text
        CONSTRAINT commission_terms_group_exists REFERENCES account_groups (code) ON DELETE RESTRICT,
    symbol text
        CONSTRAINT commission_terms_instrument_exists REFERENCES instruments (symbol) ON DELETE RESTRICT,
    form text
        CONSTRAINT commission_terms_form_present NOT NULL
        CONSTRAINT commission_terms_form_known CHECK (form IN ('per_lot', 'bps', 'per_million')),
    rate numeric(20, 8)
        CONSTRAINT commission_terms_rate_present NOT NULL
        CONSTRAINT commission_terms_rate_not_negative CHECK (rate >= 0 AND rate < 'Infinity'),
    currency text
        CONSTRAINT commission_terms_currency_present NOT NULL
        CONSTRAINT commission_terms_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    minimum numeric(20, 8) DEFAULT 0
        CONSTRAINT commission_terms_minimum_present NOT NULL
        CONSTRAINT commission_terms_minimum_not_negative CHECK (minimum >= 0 AND minimum < 'Infinity'),
    revision integer DEFAULT 1
        CONSTRAINT commission_terms_revision_present NOT NULL
        CONSTRAINT commission_terms_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT commission_terms_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT commission_terms_updated_at_present NOT NULL,
    -- No side of a trade costs more than it is worth.
    CONSTRAINT commission_terms_rate_within_trade CHECK (
        rate <= CASE form WHEN 'bps' THEN 10000 WHEN 'per_million' THEN 1000000 ELSE rate END
    ),
    CONSTRAINT commission_terms_of_somebody_or_something CHECK (group_code IS NOT NULL OR symbol IS NOT NULL),
    CONSTRAINT commission_terms_set_once UNIQUE NULLS NOT DISTINCT (group_code, symbol)
);
COMMENT ON TABLE commission_terms IS 'What a trade costs: terms of a group in an instrument, of a group, or of an instrument; the first of these holds.';
COMMENT ON COLUMN commission_terms.group_code IS 'Empty: for every group.';
COMMENT ON COLUMN commission_terms.symbol IS 'Empty: for every instrument.';
COMMENT ON COLUMN commission_terms.rate IS 'Per side: money for one lot, basis points of notional, or money for one million of notional.';
COMMENT ON COLUMN commission_terms.minimum IS 'The least that one fill costs, in the terms'' currency.';
COMMENT ON COLUMN commission_terms.revision IS 'Counts the audited changes of the row; equals its rows in audit_log.';

CREATE TABLE accounts (
    id uuid
        CONSTRAINT accounts_pkey PRIMARY KEY,
    kind text DEFAULT 'account'
        CONSTRAINT accounts_kind_present NOT NULL
        CONSTRAINT accounts_kind_is_account CHECK (kind = 'account'),
    user_id uuid
        CONSTRAINT accounts_user_id_present NOT NULL
        CONSTRAINT accounts_user_exists REFERENCES users (id) ON DELETE RESTRICT,
    group_code text DEFAULT 'standard'
        CONSTRAINT accounts_group_code_present NOT NULL
        CONSTRAINT accounts_group_exists REFERENCES account_groups (code) ON DELETE RESTRICT,
    currency text
        CONSTRAINT accounts_currency_present NOT NULL,
    leverage integer
        CONSTRAINT accounts_leverage_present NOT NULL
        CONSTRAINT accounts_leverage_in_range CHECK (leverage BETWEEN 1 AND 500),
    margin_call_level numeric(9, 4) DEFAULT 100
        CONSTRAINT accounts_margin_call_level_present NOT NULL,
    stop_out_level numeric(9, 4) DEFAULT 50
        CONSTRAINT accounts_stop_out_level_present NOT NULL
        CONSTRAINT accounts_stop_out_level_positive CHECK (stop_out_level > 0 AND stop_out_level < 'Infinity'),
    book book_code DEFAULT 'B'
        CONSTRAINT accounts_book_present NOT NULL,
    status account_status DEFAULT 'active'
        CONSTRAINT accounts_status_present NOT NULL,
    balance signed_money DEFAULT 0
        CONSTRAINT accounts_balance_present NOT NULL,
    credit lent_money DEFAULT 0
        CONSTRAINT accounts_credit_present NOT NULL,
    version bigint DEFAULT 0
        CONSTRAINT accounts_version_present NOT NULL
        CONSTRAINT accounts_version_not_negative CHECK (version >= 0),
    revision record_version DEFAULT 1
        CONSTRAINT accounts_revision_present NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT accounts_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT accounts_updated_at_present NOT NULL,
    CONSTRAINT accounts_margin_call_above_stop_out CHECK (margin_call_level >= stop_out_level AND margin_call_level < 'Infinity'),
    CONSTRAINT accounts_holder_exists FOREIGN KEY (id, kind, currency)
        REFERENCES ledger_holders (id, kind, currency) ON DELETE RESTRICT
) WITH (fillfactor = 70);
COMMENT ON TABLE accounts IS 'Margin accounts: one currency, and positions in the mode of their group.';
COMMENT ON COLUMN accounts.group_code IS 'The group whose conditions hold for the account.';
COMMENT ON COLUMN accounts.margin_call_level IS 'Percent of used margin at or below which a margin call is open.';
COMMENT ON COLUMN accounts.stop_out_level IS 'Percent of used margin below which positions are closed, largest loss first.';
COMMENT ON COLUMN accounts.book IS 'A: orders are passed on to liquidity providers; B: the house takes the other side; hybrid: it is decided for each order, and may be split.';
COMMENT ON COLUMN accounts.balance IS 'Money of the account; may go below zero through a price gap. Written by the ledger only.';
COMMENT ON COLUMN accounts.credit IS 'What the house lends for margin: in equity, never in what may leave the account, and no entry of the ledger. Zero for retail clients.';
COMMENT ON COLUMN accounts.version IS 'Number of the account''s last entry in balance_ledger; gapless.';
COMMENT ON COLUMN accounts.revision IS 'Counts the audited changes of the settings; equals the account''s rows in audit_log.';

-- Whoever books with providers. That an engine lives is not written here: it holds an advisory lock by
-- its id, which ends with its session, however that ends.
CREATE TABLE engines (
    id uuid
        CONSTRAINT engines_pkey PRIMARY KEY,
    providers text[]
        CONSTRAINT engines_providers_present NOT NULL,
    started_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT engines_started_at_present NOT NULL,
    present_since timestamptz DEFAULT clock_timestamp()
        CONSTRAINT engines_present_since_present NOT NULL,
    taken_over_by uuid
        CONSTRAINT engines_successor_exists REFERENCES engines (id) ON DELETE RESTRICT,
    taken_over_at timestamptz,
    CONSTRAINT engines_taken_over_by_another CHECK (taken_over_by <> id),
    CONSTRAINT engines_taken_over_at_iff_by CHECK ((taken_over_by IS NULL) = (taken_over_at IS NULL))
);
COMMENT ON TABLE engines IS 'Engines that have started on this database, one row for each start; one that lives holds the advisory lock of its id.';
COMMENT ON COLUMN engines.providers IS 'Codes of the providers that it reaches: only an engine that reaches them all may take over from it.';
COMMENT ON COLUMN engines.present_since IS 'When it took its lock last; a lock that was taken before the server started is no proof, held or free.';
COMMENT ON COLUMN engines.taken_over_by IS 'The engine that took over its orders and hedges with providers; nothing is booked as this one any more.';
CREATE INDEX idx_engines_taken_over_by
    ON engines (taken_over_by);

-- What only one at a time may do and no row of its own stands for. A row of it is locked by writing, which
-- whoever may only read cannot do; any role may take any advisory lock.
CREATE TABLE turns (
    name text
        CONSTRAINT turns_pkey PRIMARY KEY
        CONSTRAINT turns_name_has_length CHECK (length(name) BETWEEN 1 AND 500)
);
COMMENT ON TABLE turns IS 'What is done by one at a time, each by its name: whoever does it has locked the row until its transaction ends.';

-- Makes the row or locks the one that is there, without a new version of it: a row that DO UPDATE has come
-- to is locked even where its condition is false.
CREATE FUNCTION take_turn(p_name text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO turns AS t (name)
    VALUES (p_name)
    ON CONFLICT (name) DO UPDATE SET name = excluded.name WHERE false;
END;
$$;
COMMENT ON FUNCTION take_turn(text) IS 'Waits until nobody else does what has this name, and keeps others from it until the transaction ends.';

-- A function, because a server reads the text of a CHECK for every statement that writes: written out in
-- the constraint, it was a quarter of all that is read for the orders of a batch.
CREATE FUNCTION order_quantities_add_up(p_status text, p_quantity numeric, p_filled numeric, p_remaining numeric)
RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE p_status
        WHEN 'filled' THEN p_filled = p_quantity AND p_remaining = 0
        WHEN 'new' THEN p_filled = 0 AND p_remaining = p_quantity
        WHEN 'partially_filled' THEN p_filled > 0 AND p_remaining > 0 AND p_remaining = p_quantity - p_filled
        WHEN 'canceled' THEN p_remaining = 0
        WHEN 'expired' THEN p_remaining = 0
        WHEN 'rejected' THEN p_filled = 0 AND p_remaining = 0
        ELSE p_remaining > 0 AND p_remaining = p_quantity - p_filled
    END;
END;
$$;
COMMENT ON FUNCTION order_quantities_add_up(text, numeric, numeric, numeric) IS 'Whether an order in a state may have filled and remaining as much of its quantity: live, filled plus remaining is the quantity; ended, nothing remains.';

CREATE TABLE orders (
    id uuid
        CONSTRAINT orders_pkey PRIMARY KEY,
    account_id uuid
        CONSTRAINT orders_account_id_present NOT NULL
        CONSTRAINT orders_account_exists REFERENCES accounts (id) NOT ENFORCED,
    client_order_id client_key
        CONSTRAINT orders_client_order_id_present NOT NULL,
    symbol text
        CONSTRAINT orders_symbol_present NOT NULL
        CONSTRAINT orders_instrument_exists REFERENCES instruments (symbol) NOT ENFORCED,
    side order_side
        CONSTRAINT orders_side_present NOT NULL,
    order_type order_kind
        CONSTRAINT orders_order_type_present NOT NULL,
    time_in_force time_in_force
        CONSTRAINT orders_time_in_force_present NOT NULL,
    origin order_origin
        CONSTRAINT orders_origin_present NOT NULL,
    book book_code
        CONSTRAINT orders_book_present NOT NULL,
    quantity positive_quantity
        CONSTRAINT orders_quantity_present NOT NULL,
    filled_quantity numeric(20, 8)
        CONSTRAINT orders_filled_quantity_present NOT NULL
        CONSTRAINT orders_filled_within_quantity CHECK (filled_quantity >= 0 AND filled_quantity <= quantity),
    remaining_quantity numeric(20, 8)
        CONSTRAINT orders_remaining_quantity_present NOT NULL,
    average_price positive_price,
    limit_price positive_price,
    stop_price positive_price,
    stop_loss positive_price,
    take_profit positive_price,
    status order_status
        CONSTRAINT orders_status_present NOT NULL,
    is_routed boolean
        CONSTRAINT orders_is_routed_present NOT NULL,
    refused_by refusing_party,
    refusal_code text,
    metadata tags,
    version record_version
        CONSTRAINT orders_version_present NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT orders_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT orders_updated_at_present NOT NULL,
    expires_at finite_instant,
    trailing_distance positive_price,
    trailing_terms text,
    triggered_at timestamptz,
    is_reduce_only boolean DEFAULT false
        CONSTRAINT orders_is_reduce_only_present NOT NULL,
    is_post_only boolean DEFAULT false
        CONSTRAINT orders_is_post_only_present NOT NULL,
    oco_group client_key,
    -- tradewright: ignore id-column-without-foreign-key: engines are kept, and each order would pay
    engine_id uuid,
    CONSTRAINT orders_client_order_id_once_per_account UNIQUE (account_id, client_order_id),
    -- The limit price of a market order is the bound of its slippage, which it may have.
    CONSTRAINT orders_limit_has_limit_price CHECK (
        order_type = 'market' OR (order_type IN ('limit', 'stop_limit')) = (limit_price IS NOT NULL)
    ),
    CONSTRAINT orders_stop_has_stop_price CHECK ((order_type NOT IN ('market', 'limit')) = (stop_price IS NOT NULL)),
    CONSTRAINT orders_trailing_stop_has_distance CHECK (
        (order_type = 'trailing_stop') = (trailing_distance IS NOT NULL)
        AND (trailing_distance IS NULL) = (trailing_terms IS NULL)
    ),
    CONSTRAINT orders_triggered_had_stop_price CHECK (triggered_at IS NULL OR stop_price IS NOT NULL),
    CONSTRAINT orders_take_profit_only_reduces CHECK (is_reduce_only OR order_type <> 'take_profit'),
    CONSTRAINT orders_post_only_rests CHECK (
        NOT is_post_only OR (order_type = 'limit' AND time_in_force NOT IN ('ioc', 'fok'))
    ),
    CONSTRAINT orders_market_is_immediate CHECK (order_type <> 'market' OR time_in_force IN ('ioc', 'fok')),
    CONSTRAINT orders_expires_iff_dated CHECK ((time_in_force IN ('day', 'gtd')) = (expires_at IS NOT NULL)),
    CONSTRAINT orders_remaining_within_quantity CHECK (remaining_quantity >= 0 AND remaining_quantity <= quantity),
    CONSTRAINT orders_quantity_is_filled_plus_remaining CHECK (
        order_quantities_add_up(status, quantity, filled_quantity, remaining_quantity)
    ),
    CONSTRAINT orders_average_price_iff_filled CHECK ((filled_quantity > 0) = (average_price IS NOT NULL)),
    CONSTRAINT orders_routed_never_in_book_b CHECK (
        NOT is_routed OR (book <> 'B' AND remaining_quantity > 0)
    ),
    CONSTRAINT orders_routed_by_an_engine CHECK (NOT is_routed OR engine_id IS NOT NULL),
    CONSTRAINT orders_rejected_says_by_whom CHECK (
        (status = 'rejected') <= (refused_by IS NOT NULL AND refusal_code IS NOT NULL)
    )
) WITH (fillfactor = 85);
COMMENT ON TABLE orders IS 'What clients and the house''s own watchers asked to trade, and what became of it (FIX 4.4 order states).';
COMMENT ON COLUMN orders.client_order_id IS 'FIX ClOrdID (11): the client''s own key; the same key again returns the first order.';
COMMENT ON COLUMN orders.origin IS 'client, or the watcher that proposed the closing order.';
COMMENT ON COLUMN orders.remaining_quantity IS 'FIX LeavesQty (151): what may still be filled; above zero while the order is live, zero once it has ended.';
COMMENT ON COLUMN orders.filled_quantity IS 'FIX CumQty (14).';
COMMENT ON COLUMN orders.average_price IS 'FIX AvgPx (6): fills weighted by quantity.';
COMMENT ON COLUMN orders.book IS 'The account''s book when the order was made; of a hybrid order, routing_decisions says which part went where.';
COMMENT ON COLUMN orders.is_routed IS 'Passed on to a provider whose answer is awaited.';
COMMENT ON COLUMN orders.engine_id IS 'The engine that asks the providers, or asked them last.';
COMMENT ON COLUMN orders.refused_by IS 'house: denied by us; provider: rejected by the liquidity provider.';
COMMENT ON COLUMN orders.refusal_code IS 'Why the order was denied, rejected or ended unfilled, or is to end by the house''s wish; see reference/error-codes.';
COMMENT ON COLUMN orders.version IS 'Sequence number of the order''s last row in order_events; gapless.';
COMMENT ON COLUMN orders.order_type IS 'FIX OrdType (40): market 1, limit 2, stop 3, stop_limit 4, trailing_stop P, take_profit J (market if touched).';
COMMENT ON COLUMN orders.limit_price IS 'The worst price at which the order may deal; of a market order the bound of its slippage.';
COMMENT ON COLUMN orders.stop_price IS 'FIX StopPx (99): what the order waits for; of a trailing stop where it stood when it was last written.';
COMMENT ON COLUMN orders.trailing_distance IS 'How far the stop follows the best price since the order was accepted, in quote currency.';
COMMENT ON COLUMN orders.trailing_terms IS 'The distance as the client gave it, such as 25 bps.';
COMMENT ON COLUMN orders.triggered_at IS 'Market time at which the stop price was reached; from then on the order deals or rests as a market or limit order.';
COMMENT ON COLUMN orders.is_reduce_only IS 'FIX ExecInst (18) E: never opens a position or turns it; ends when there is nothing to reduce.';
COMMENT ON COLUMN orders.oco_group IS 'Orders of an account with the same group are alternatives (FIX ContingencyType 1, one cancels the other).';
COMMENT ON COLUMN orders.is_post_only IS 'FIX ExecInst (18) 6: denied if it could deal on arrival; its fills are those of a maker (order_fills.is_maker).';
COMMENT ON COLUMN orders.time_in_force IS 'FIX TimeInForce (59): day 0, gtc 1, ioc 3, fok 4, gtd 6.';
COMMENT ON COLUMN orders.expires_at IS 'FIX ExpireTime (126): when the market''s time reaches it, the order ends; for day orders 17:00 in New York.';
COMMENT ON COLUMN orders.metadata IS 'The client''s own tags, such as {"strategy": "momentum"}.';

CREATE TABLE liquidity_providers (
    id uuid DEFAULT uuidv7()
        CONSTRAINT liquidity_providers_pkey PRIMARY KEY,
    code text
        CONSTRAINT liquidity_providers_code_present NOT NULL
        CONSTRAINT liquidity_providers_code_is_plain CHECK (code ~ '^[A-Z0-9-]{2,32}$')
        CONSTRAINT liquidity_providers_code_unique UNIQUE,
    priority smallint
        CONSTRAINT liquidity_providers_priority_present NOT NULL
        CONSTRAINT liquidity_providers_priority_not_negative CHECK (priority >= 0),
    is_enabled boolean DEFAULT true
        CONSTRAINT liquidity_providers_is_enabled_present NOT NULL,
    fee_bps numeric(12, 4) DEFAULT 0
        CONSTRAINT liquidity_providers_fee_bps_present NOT NULL
        CONSTRAINT liquidity_providers_fee_bps_finite CHECK (fee_bps > '-Infinity' AND fee_bps < 'Infinity'),
    quantity_min numeric(20, 8) DEFAULT 0
        CONSTRAINT liquidity_providers_quantity_min_present NOT NULL
        CONSTRAINT liquidity_providers_quantity_min_not_negative CHECK (quantity_min >= 0 AND quantity_min < 'Infinity'),
    quantity_max numeric(20, 8)
        CONSTRAINT liquidity_providers_quantity_max_above_min CHECK (quantity_max > 0 AND quantity_max < 'Infinity' AND quantity_max >= quantity_min),
    revision integer DEFAULT 1
        CONSTRAINT liquidity_providers_revision_present NOT NULL
        CONSTRAINT liquidity_providers_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT liquidity_providers_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT liquidity_providers_updated_at_present NOT NULL
);
COMMENT ON TABLE liquidity_providers IS 'Firms that quote to us and fill what we pass on.';
COMMENT ON COLUMN liquidity_providers.priority IS 'Of two equal scores the provider with the smaller number is taken.';
COMMENT ON COLUMN liquidity_providers.fee_bps IS 'What the provider charges on top of its price, in basis points; below zero it pays.';
COMMENT ON COLUMN liquidity_providers.quantity_min IS 'Less than this is not dealt with the provider, and more than quantity_max not at once.';
CREATE TABLE order_fills (
    id uuid
        CONSTRAINT order_fills_pkey PRIMARY KEY,
    order_id uuid
        CONSTRAINT order_fills_order_id_present NOT NULL
        CONSTRAINT order_fills_order_exists REFERENCES orders (id) NOT ENFORCED,
    quantity positive_quantity
        CONSTRAINT order_fills_quantity_present NOT NULL,
    price positive_price
        CONSTRAINT order_fills_price_present NOT NULL,
    provider_id uuid
        CONSTRAINT order_fills_provider_id_present NOT NULL
        CONSTRAINT order_fills_provider_exists REFERENCES liquidity_providers (id) NOT ENFORCED,
    provider_execution_id text,
    quoted_at timestamptz
        CONSTRAINT order_fills_quoted_at_present NOT NULL,
    executed_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT order_fills_executed_at_present NOT NULL,
    is_maker boolean DEFAULT false
        CONSTRAINT order_fills_is_maker_present NOT NULL
);
COMMENT ON TABLE order_fills IS 'Executions of orders (FIX ExecType F): append-only.';
COMMENT ON COLUMN order_fills.provider_id IS 'Provider whose quote was dealt on; of what was passed on also the counterparty.';
COMMENT ON COLUMN order_fills.provider_execution_id IS 'FIX ExecID (17) given by the provider to what was passed on (book A); empty where the house dealt (book B). An execution is booked once; one whose ExecID another order had before has its request behind it (@).';
COMMENT ON COLUMN order_fills.quoted_at IS 'Market time of the quote that was dealt on.';
COMMENT ON COLUMN order_fills.is_maker IS 'FIX LastLiquidityInd (851): the order was waiting for the market as post-only (1, added), or took what was offered (2, removed).';

CREATE TABLE positions (
    id uuid
        CONSTRAINT positions_pkey PRIMARY KEY,
    account_id uuid
        CONSTRAINT positions_account_id_present NOT NULL
        CONSTRAINT positions_account_exists REFERENCES accounts (id) NOT ENFORCED,
    symbol text
        CONSTRAINT positions_symbol_present NOT NULL
        CONSTRAINT positions_instrument_exists REFERENCES instruments (symbol) NOT ENFORCED,
    position_mode position_mode DEFAULT 'netting'
        CONSTRAINT positions_position_mode_present NOT NULL,
    quantity signed_quantity
        CONSTRAINT positions_quantity_present NOT NULL,
    average_price positive_price
        CONSTRAINT positions_average_price_present NOT NULL,
    realised_pnl signed_money DEFAULT 0
        CONSTRAINT positions_realised_pnl_present NOT NULL,
    stop_loss positive_price,
    take_profit positive_price,
    amended_by uuid,
    is_open boolean
        CONSTRAINT positions_is_open_present NOT NULL,
    version record_version
        CONSTRAINT positions_version_present NOT NULL,
    opened_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT positions_opened_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT positions_updated_at_present NOT NULL,
    closed_at timestamptz,
    CONSTRAINT positions_open_iff_quantity CHECK (is_open = (quantity <> 0)),
    CONSTRAINT positions_closed_at_iff_closed CHECK (is_open = (closed_at IS NULL))
) WITH (fillfactor = 70);
COMMENT ON TABLE positions IS 'What an account holds in a symbol: one net position, or one for each opening fill. A flip closes one and opens another.';
COMMENT ON COLUMN positions.position_mode IS 'Mode of the account''s group when the position was opened; the group keeps it while anything is open.';
COMMENT ON COLUMN positions.quantity IS 'Signed, in units of the base currency: long above zero, short below.';
COMMENT ON COLUMN positions.average_price IS 'Average opening price in quote currency; kept when the position is reduced.';
COMMENT ON COLUMN positions.realised_pnl IS 'Sum of the closing trades'' results in the account''s currency.';
COMMENT ON COLUMN positions.amended_by IS 'Last row of position_amendments that holds for its levels, in FIFO perhaps one of another position of the symbol: an order with a smaller id gives it none any more.';
COMMENT ON COLUMN positions.version IS 'Number of the position''s last trade; gapless.';

CREATE TABLE swap_terms (
    symbol text
        CONSTRAINT swap_terms_symbol_present NOT NULL
        CONSTRAINT swap_terms_instrument_exists REFERENCES instruments (symbol) ON DELETE RESTRICT,
    effective_on date
        CONSTRAINT swap_terms_effective_on_present NOT NULL,
    form text
        CONSTRAINT swap_terms_form_present NOT NULL
        CONSTRAINT swap_terms_form_known CHECK (form IN ('points', 'percent', 'money')),
    long_rate numeric(20, 8)
        CONSTRAINT swap_terms_long_rate_present NOT NULL
        CONSTRAINT swap_terms_long_rate_finite CHECK (long_rate > '-Infinity' AND long_rate < 'Infinity'),
    short_rate numeric(20, 8)
        CONSTRAINT swap_terms_short_rate_present NOT NULL
        CONSTRAINT swap_terms_short_rate_finite CHECK (short_rate > '-Infinity' AND short_rate < 'Infinity'),
    currency text
        CONSTRAINT swap_terms_currency_present NOT NULL
        CONSTRAINT swap_terms_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    settlement_days smallint
        CONSTRAINT swap_terms_settlement_days_present NOT NULL
        CONSTRAINT swap_terms_settlement_days_in_range CHECK (settlement_days BETWEEN 0 AND 2),
    is_daily boolean
        CONSTRAINT swap_terms_is_daily_present NOT NULL,
    swap_free_fee numeric(20, 8) DEFAULT 0
        CONSTRAINT swap_terms_swap_free_fee_present NOT NULL
        CONSTRAINT swap_terms_swap_free_fee_not_negative CHECK (swap_free_fee >= 0 AND swap_free_fee < 'Infinity'),
    grace_nights smallint DEFAULT 0
        CONSTRAINT swap_terms_grace_nights_present NOT NULL
        CONSTRAINT swap_terms_grace_nights_in_range CHECK (grace_nights BETWEEN 0 AND 365),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT swap_terms_created_at_present NOT NULL,
    CONSTRAINT swap_terms_pkey PRIMARY KEY (symbol, effective_on)
);
COMMENT ON TABLE swap_terms IS 'What holding an instrument over the rollover costs or yields, from a day on. Append-only.';
COMMENT ON COLUMN swap_terms.form IS 'points: rate * tick a unit; percent: of the value, a year of 360 days; money: rate for a lot. All for one day.';
COMMENT ON COLUMN swap_terms.long_rate IS 'For a long position; below zero it is paid by the client.';
COMMENT ON COLUMN swap_terms.currency IS 'Currency of money for a lot, as of the fee; points and percent are in quote currency.';
COMMENT ON COLUMN swap_terms.settlement_days IS 'Business days until a deal settles: 2 pays for the weekend on Wednesday, 1 on Thursday, 0 on Friday.';
COMMENT ON COLUMN swap_terms.is_daily IS 'Traded every day of the week and rolled over for one day each.';
COMMENT ON COLUMN swap_terms.swap_free_fee IS 'What a swap-free account pays instead: money for one lot and day, long or short.';
COMMENT ON COLUMN swap_terms.grace_nights IS 'How many nights of a position, from its first on, a swap-free account pays no fee for.';

CREATE TABLE rollover_holidays (
    currency text
        CONSTRAINT rollover_holidays_currency_present NOT NULL
        CONSTRAINT rollover_holidays_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    holiday_on date
        CONSTRAINT rollover_holidays_holiday_on_present NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT rollover_holidays_created_at_present NOT NULL,
    CONSTRAINT rollover_holidays_pkey PRIMARY KEY (currency, holiday_on)
);
COMMENT ON TABLE rollover_holidays IS 'Days, beside Saturdays and Sundays, on which a currency does not settle.';

CREATE TABLE trading_days (
    ended_on date
        CONSTRAINT trading_days_pkey PRIMARY KEY,
    ended_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT trading_days_ended_at_present NOT NULL
);
CREATE INDEX idx_trading_days_ended_at
    ON trading_days (ended_at);
COMMENT ON TABLE trading_days IS 'Days that have ended at 17:00 in New York by the market of some engine: written while no batch is booked, so what was booked before was dealt before. Append-only.';
COMMENT ON COLUMN trading_days.ended_at IS 'When this was said, by the server''s clock: trades of before are before the rollover, and of later ones those that a provider has dealt before it.';

-- What held at an end of a day that is over, where it was changed since. What holds now stands in
-- account_groups and accounts.
CREATE TABLE past_swap_freedoms (
    group_code text
        CONSTRAINT past_swap_freedoms_group_exists REFERENCES account_groups (code) ON DELETE RESTRICT,
    through_on date,
    is_swap_free boolean
        CONSTRAINT past_swap_freedoms_is_swap_free_present NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT past_swap_freedoms_created_at_present NOT NULL,
    CONSTRAINT past_swap_freedoms_pkey PRIMARY KEY (group_code, through_on)
);
COMMENT ON TABLE past_swap_freedoms IS 'Whether a group was swap-free before that was changed: what held at 17:00 in New York of the days up to one. Append-only.';
COMMENT ON COLUMN past_swap_freedoms.through_on IS 'The last day for which it holds; the row with the next one after it says what held then, and without one the group itself.';

CREATE TABLE past_account_groups (
    account_id uuid
        CONSTRAINT past_account_groups_account_exists REFERENCES accounts (id) ON DELETE RESTRICT,
    through_on date,
    group_code text
        CONSTRAINT past_account_groups_group_code_present NOT NULL
        CONSTRAINT past_account_groups_group_exists REFERENCES account_groups (code) ON DELETE RESTRICT,
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT past_account_groups_created_at_present NOT NULL,
    CONSTRAINT past_account_groups_pkey PRIMARY KEY (account_id, through_on)
);
COMMENT ON TABLE past_account_groups IS 'The group that an account was in before it was put into another: at 17:00 in New York of the days up to one. Append-only.';
COMMENT ON COLUMN past_account_groups.through_on IS 'The last day for which it holds; the row with the next one after it says what held then, and without one the account itself.';

CREATE TABLE closing_orders (
    order_id uuid
        CONSTRAINT closing_orders_pkey PRIMARY KEY
        CONSTRAINT closing_orders_order_exists REFERENCES orders (id) ON DELETE RESTRICT,
    position_id uuid
        CONSTRAINT closing_orders_position_id_present NOT NULL
        CONSTRAINT closing_orders_position_exists REFERENCES positions (id) ON DELETE RESTRICT,
    is_whole boolean DEFAULT false
        CONSTRAINT closing_orders_is_whole_present NOT NULL
);
COMMENT ON COLUMN closing_orders.is_whole IS 'Whether the position was to be closed whole, however much it was: asking for a part under the same key is something else.';
COMMENT ON TABLE closing_orders IS 'Orders that name the position that they close; all others close and open by the account''s mode. Append-only.';

CREATE TABLE close_bys (
    id uuid
        CONSTRAINT close_bys_pkey PRIMARY KEY,
    account_id uuid
        CONSTRAINT close_bys_account_id_present NOT NULL
        CONSTRAINT close_bys_account_exists REFERENCES accounts (id) ON DELETE RESTRICT,
    position_id uuid
        CONSTRAINT close_bys_position_id_present NOT NULL
        CONSTRAINT close_bys_position_exists REFERENCES positions (id) ON DELETE RESTRICT,
    by_position_id uuid
        CONSTRAINT close_bys_by_position_id_present NOT NULL
        CONSTRAINT close_bys_by_position_exists REFERENCES positions (id) ON DELETE RESTRICT,
    quantity numeric(20, 8)
        CONSTRAINT close_bys_quantity_present NOT NULL
        CONSTRAINT close_bys_quantity_positive CHECK (quantity > 0 AND quantity < 'Infinity'),
    price numeric(20, 8)
        CONSTRAINT close_bys_price_present NOT NULL
        CONSTRAINT close_bys_price_positive CHECK (price > 0 AND price < 'Infinity'),
    quoted_at timestamptz
        CONSTRAINT close_bys_quoted_at_present NOT NULL,
    closed_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT close_bys_closed_at_present NOT NULL,
    CONSTRAINT close_bys_positions_differ CHECK (position_id <> by_position_id)
);
COMMENT ON TABLE close_bys IS 'Two opposite positions of a symbol closed against each other, without an order. Append-only.';
COMMENT ON COLUMN close_bys.id IS 'The client''s own key: the same key again returns the first pairing.';
COMMENT ON COLUMN close_bys.position_id IS 'Position that is closed at the other''s average price and so carries the whole result.';
COMMENT ON COLUMN close_bys.by_position_id IS 'Position that is closed at its own average price, without a result.';
COMMENT ON COLUMN close_bys.quoted_at IS 'Market time at which it was booked.';

CREATE TABLE trades (
    id uuid
        CONSTRAINT trades_pkey PRIMARY KEY,
    account_id uuid
        CONSTRAINT trades_account_id_present NOT NULL
        CONSTRAINT trades_account_exists REFERENCES accounts (id) NOT ENFORCED,
    fill_id uuid
        CONSTRAINT trades_fill_exists REFERENCES order_fills (id) NOT ENFORCED,
    close_by_id uuid
        CONSTRAINT trades_close_by_exists REFERENCES close_bys (id) NOT ENFORCED,
    position_id uuid
        CONSTRAINT trades_position_id_present NOT NULL
        -- Written by one statement with its position, so the guard sees both.
        CONSTRAINT trades_position_exists REFERENCES positions (id) NOT ENFORCED,
    position_version record_version
        CONSTRAINT trades_position_version_present NOT NULL,
    effect trade_effect
        CONSTRAINT trades_effect_present NOT NULL,
    quantity traded_quantity
        CONSTRAINT trades_quantity_present NOT NULL,
    price positive_price
        CONSTRAINT trades_price_present NOT NULL,
    conversion_rate positive_rate
        CONSTRAINT trades_conversion_rate_present NOT NULL,
    realised_pnl signed_money
        CONSTRAINT trades_realised_pnl_present NOT NULL,
    commission charged_money
        CONSTRAINT trades_commission_present NOT NULL,
    executed_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT trades_executed_at_present NOT NULL,
    position_quantity signed_quantity
        CONSTRAINT trades_position_quantity_present NOT NULL,
    position_average_price positive_price
        CONSTRAINT trades_position_average_price_present NOT NULL,
    position_realised_pnl signed_money
        CONSTRAINT trades_position_realised_pnl_present NOT NULL,
    CONSTRAINT trades_position_version_unique UNIQUE (position_id, position_version),
    CONSTRAINT trades_opening_realises_nothing CHECK (effect = 'close' OR realised_pnl = 0),
    CONSTRAINT trades_have_one_cause CHECK ((fill_id IS NULL) <> (close_by_id IS NULL))
);
COMMENT ON TABLE trades IS 'What each fill or pairing did to a position: opened it further or closed part of it; and what was taken back of a fill that its provider has busted. Append-only.';
COMMENT ON COLUMN trades.fill_id IS 'The fill behind this trade; of one that reverses, the fill that is taken back.';
COMMENT ON COLUMN trades.close_by_id IS 'The pairing of two positions behind this trade, where no fill is.';
COMMENT ON COLUMN trades.quantity IS 'Signed change of the position, in units of the base currency.';
COMMENT ON COLUMN trades.conversion_rate IS 'Rate from the quote currency to the account''s currency that valued the trade.';
COMMENT ON COLUMN trades.realised_pnl IS 'Result in the account''s currency, rounded half to even to its minor unit; equals the ledger''s entry.';
COMMENT ON COLUMN trades.position_quantity IS 'Quantity of the position after this trade.';
COMMENT ON COLUMN trades.position_average_price IS 'Average opening price of the position after this trade; a closing trade keeps it.';
COMMENT ON COLUMN trades.position_realised_pnl IS 'Result of the position after this trade.';
COMMENT ON COLUMN trades.commission IS 'Commission in the account''s currency; equals the ledger''s entry.';

CREATE TABLE position_rollovers (
    id uuid
        CONSTRAINT position_rollovers_pkey PRIMARY KEY,
    position_id uuid
        CONSTRAINT position_rollovers_position_id_present NOT NULL
        CONSTRAINT position_rollovers_position_exists REFERENCES positions (id) ON DELETE RESTRICT,
    rollover_on date
        CONSTRAINT position_rollovers_rollover_on_present NOT NULL,
    days smallint
        CONSTRAINT position_rollovers_days_present NOT NULL
        CONSTRAINT position_rollovers_days_positive CHECK (days > 0),
    quantity numeric(20, 8)
        CONSTRAINT position_rollovers_quantity_present NOT NULL
        CONSTRAINT position_rollovers_quantity_not_zero CHECK (quantity <> 0 AND quantity > '-Infinity' AND quantity < 'Infinity'),
    conversion_rate numeric(24, 12)
        CONSTRAINT position_rollovers_conversion_rate_present NOT NULL
        CONSTRAINT position_rollovers_conversion_rate_positive CHECK (conversion_rate > 0 AND conversion_rate < 'Infinity'),
    amount numeric(20, 8)
        CONSTRAINT position_rollovers_amount_present NOT NULL
        CONSTRAINT position_rollovers_amount_finite CHECK (amount > '-Infinity' AND amount < 'Infinity'),
    operation text
        CONSTRAINT position_rollovers_operation_present NOT NULL
        CONSTRAINT position_rollovers_operation_known CHECK (operation IN ('swap', 'swap_free_fee')),
    trade_id uuid
        CONSTRAINT position_rollovers_trade_exists REFERENCES trades (id) ON DELETE RESTRICT,
    booked_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT position_rollovers_booked_at_present NOT NULL,
    CONSTRAINT position_rollovers_booked_once UNIQUE NULLS NOT DISTINCT (position_id, rollover_on, trade_id),
    -- What is told late, and what is reversed, may give some of it back.
    CONSTRAINT position_rollovers_fee_is_never_earned CHECK (
        operation = 'swap' OR amount <= 0 OR trade_id IS NOT NULL
    )
);
COMMENT ON TABLE position_rollovers IS 'What a position has paid or earned over the rollover of a day, 17:00 in New York, once. Append-only.';
COMMENT ON COLUMN position_rollovers.quantity IS 'What was open, signed; for a trade of which we were told later, the change that it made.';
COMMENT ON COLUMN position_rollovers.trade_id IS 'The trade that a provider had dealt before the rollover and told of after it, or that takes a busted fill back: the row adds or takes back what that makes of the swap.';
COMMENT ON COLUMN position_rollovers.days IS 'From one value date to the next: 1, 3 over a weekend, more over holidays.';
COMMENT ON COLUMN position_rollovers.amount IS 'In the account''s currency, below zero when paid; equals the ledger''s entry. In a swap-free group the fee, which is mostly zero.';
COMMENT ON COLUMN position_rollovers.operation IS 'Operation of the ledger''s entry: the swap, or what a swap-free account pays instead, which is no interest.';

CREATE TABLE opening_rates (
    position_id uuid,
    position_version integer,
    rate numeric(24, 12)
        CONSTRAINT opening_rates_rate_present NOT NULL
        CONSTRAINT opening_rates_rate_positive CHECK (rate > 0 AND rate < 'Infinity'),
    CONSTRAINT opening_rates_pkey PRIMARY KEY (position_id, position_version),
    CONSTRAINT opening_rates_trade_exists FOREIGN KEY (position_id, position_version)
        REFERENCES trades (position_id, position_version) ON DELETE RESTRICT
);
COMMENT ON TABLE opening_rates IS 'What one unit of base currency was worth in the account''s currency when a position was opened, on average and after each trade; only where the group binds margin at the opening price. Append-only.';
COMMENT ON COLUMN opening_rates.rate IS 'Weighted by quantity: price times conversion rate of each opening trade; a closing trade keeps it.';
