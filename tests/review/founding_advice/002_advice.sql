CREATE OR REPLACE FUNCTION create_audit_log_partition(month_date DATE) -- <- partition-function-unaligned
RETURNS void AS $$
DECLARE
    partition_name TEXT;
    next_month DATE;
BEGIN
    partition_name := 'audit_log_' || TO_CHAR(month_date, 'YYYY_MM');
    next_month := month_date + INTERVAL '1 month';

    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I PARTITION OF audit_log
         FOR VALUES FROM (%L) TO (%L)',
        partition_name, month_date, next_month
    );
END;
$$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION credit_user_balance(p_user_id uuid, p_currency text, p_amount numeric) -- <- unchecked-numeric-parameter
RETURNS void AS $$
BEGIN
    SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; -- <- set-transaction-misplaced
    UPDATE user_balances SET available_balance = available_balance + p_amount
    WHERE user_id = p_user_id AND currency = p_currency;
    IF NOT FOUND THEN
        ROLLBACK; -- <- transaction-control-in-function
        RAISE EXCEPTION 'Balance update failed';
    END IF;
    COMMIT; -- <- transaction-control-in-function
END;
$$ LANGUAGE plpgsql;

CREATE MATERIALIZED VIEW payment_summary AS -- <- matview-without-unique-index
SELECT
    user_id,
    DATE_TRUNC('day', created_at) AS day,
    COUNT(*) as transaction_count,
    SUM(amount) as total_volume, -- <- aggregate-across-currencies
    SUM(fee) as total_fees -- <- aggregate-across-currencies
FROM payment_transactions
WHERE status = 'completed'
GROUP BY user_id, DATE_TRUNC('day', created_at);

CREATE INDEX idx_payment_summary_user_day
ON payment_summary(user_id, day DESC);
