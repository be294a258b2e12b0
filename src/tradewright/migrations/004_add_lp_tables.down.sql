-- Takes away the providers, their answers, and which provider each fill was dealt with.

DROP TABLE provider_requests;
DROP TRIGGER order_fills_refer_to_rows ON order_fills;
DROP FUNCTION order_fills_refer_to_rows();
ALTER TABLE order_fills
    DROP CONSTRAINT order_fills_execution_once,
    DROP COLUMN provider_execution_id,
    DROP COLUMN provider_id;
DROP TABLE liquidity_providers;
