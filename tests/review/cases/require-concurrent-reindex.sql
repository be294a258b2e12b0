-- bad: plain
REINDEX TABLE orders; -- <-

-- repaired: concurrently
-- tradewright: no-transaction
REINDEX TABLE CONCURRENTLY orders;

-- near miss: the other spelling
-- tradewright: no-transaction
REINDEX (CONCURRENTLY, VERBOSE) INDEX idx_orders;
