-- Payments, wallets and their ledger.
CREATE TABLE IF NOT EXISTS payment_transactions ( -- <- missing-composite-index reporting-view-missing
    id VARCHAR(64) PRIMARY KEY, -- <- text-id-among-uuids
    user_id VARCHAR(64) NOT NULL, -- <- text-id-among-uuids id-column-without-foreign-key
    amount DECIMAL(20, 8) NOT NULL,
    fee DECIMAL(20, 8) NOT NULL DEFAULT 0,
    currency VARCHAR(10) NOT NULL,
    status VARCHAR(20) NOT NULL DEFAULT 'pending',
    created_at TIMESTAMP NOT NULL DEFAULT NOW(), -- <- prefer-timestamp-tz
    updated_at TIMESTAMP NOT NULL DEFAULT NOW(), -- <- prefer-timestamp-tz
    completed_at TIMESTAMP, -- <- prefer-timestamp-tz
    INDEX idx_user_id (user_id), -- <- syntax-error
    INDEX idx_status (status) -- <- syntax-error
);

CREATE TABLE IF NOT EXISTS user_balances (
    user_id VARCHAR(64) NOT NULL, -- <- text-id-among-uuids id-column-without-foreign-key
    currency VARCHAR(10) NOT NULL,
    available_balance DECIMAL(20, 8) NOT NULL DEFAULT 0,
    reserved_balance DECIMAL(20, 8) NOT NULL DEFAULT 0,
    updated_at TIMESTAMP NOT NULL DEFAULT NOW(), -- <- prefer-timestamp-tz
    PRIMARY KEY (user_id, currency),
    CHECK (available_balance >= 0), -- <- nan-allowed
    INDEX idx_user_id (user_id) -- <- syntax-error
);

CREATE TABLE IF NOT EXISTS balance_ledger ( -- <- missing-composite-index
    id BIGINT AUTO_INCREMENT PRIMARY KEY, -- <- syntax-error
    user_id VARCHAR(64) NOT NULL, -- <- text-id-among-uuids id-column-without-foreign-key
    transaction_id VARCHAR(64) NOT NULL,
    amount DECIMAL(20, 8) NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT NOW(), -- <- prefer-timestamp-tz transaction-time-in-audit
    INDEX idx_user_id (user_id) -- <- syntax-error
);

CREATE TABLE IF NOT EXISTS fraud_checks ( -- <- missing-composite-index
    id VARCHAR(64) PRIMARY KEY, -- <- text-id-among-uuids
    user_id VARCHAR(64) NOT NULL, -- <- text-id-among-uuids id-column-without-foreign-key
    risk_score DECIMAL(5, 2) NOT NULL, -- <- score-without-range-check
    risk_level VARCHAR(20) NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT NOW() -- <- prefer-timestamp-tz
);

CREATE TABLE IF NOT EXISTS payment_limits (
    id VARCHAR(64) PRIMARY KEY, -- <- text-id-among-uuids
    user_id VARCHAR(64), -- <- text-id-among-uuids id-column-without-foreign-key
    method VARCHAR(20) NOT NULL,
    daily_limit DECIMAL(20, 8) NOT NULL,
    UNIQUE (user_id, method) -- <- unique-over-nullable
);

INSERT INTO payment_limits (id, user_id, method, daily_limit)
VALUES ('default-card', NULL, 'card', 10000)
ON CONFLICT (user_id, method) DO NOTHING; -- <- on-conflict-on-nullable-key

DELIMITER // -- <- syntax-error

CREATE PROCEDURE credit_user_balance( -- <- syntax-error
    IN p_user_id VARCHAR(64),
    IN p_currency VARCHAR(10),
    IN p_amount DECIMAL(20, 8),
    IN p_transaction_id VARCHAR(64)
)
BEGIN
    DECLARE v_balance_before DECIMAL(20, 8);

    SELECT available_balance INTO v_balance_before -- <- lock-of-absent-row
    FROM user_balances
    WHERE user_id = p_user_id AND currency = p_currency
    FOR UPDATE;

    INSERT INTO user_balances (user_id, currency, available_balance)
    VALUES (p_user_id, p_currency, p_amount)
    ON DUPLICATE KEY UPDATE available_balance = available_balance + p_amount; -- <- syntax-error

    INSERT INTO balance_ledger (user_id, transaction_id, amount)
    VALUES (p_user_id, p_transaction_id, p_amount);
END//

DELIMITER ;

-- Down Migration (Rollback) -- <- down-in-comment
-- DROP PROCEDURE IF EXISTS credit_user_balance;
-- DROP TABLE IF EXISTS payment_limits;
-- DROP TABLE IF EXISTS payment_transactions;
