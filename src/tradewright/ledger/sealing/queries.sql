-- name: seal
-- Seal what was committed since the last seal; NULLs when there was nothing.
SELECT seq, entry_count, transfer_count
FROM seal_ledger();

-- name: heads
-- Read the heads of seals, oldest first.
SELECT seq, to_txid, entry_count, transfer_count, encode(head, 'hex')
FROM ledger_seals
WHERE seq > %(after_seq)s
ORDER BY seq;

-- name: bad_pieces
-- Find what does not hold, the oldest seal first and of that the entries first.
SELECT seq, holder_id::text, from_version, fault
FROM law_ledger_seals_verify
ORDER BY seq, fault, holder_id;

-- name: sealed_entries
-- Read the hashes that were sealed of a holder from a version on.
SELECT string_agg(entry_hashes, ''::bytea ORDER BY from_version)
FROM ledger_seal_segments
WHERE holder_id = %(holder_id)s AND from_version >= %(from_version)s;

-- name: found_entries
-- Hash the entries of a holder from a version on.
SELECT e.version, ledger_entry_hash(e)
FROM balance_ledger AS e
WHERE e.holder_id = %(holder_id)s AND e.version >= %(from_version)s
ORDER BY e.version;

-- name: sealed_transfers
-- Read the ids and hashes that were sealed of a seal's transfers.
SELECT transfer_hashes
FROM ledger_seals
WHERE seq = %(seq)s;

-- name: found_transfers
-- Hash the transfers of a seal's transactions.
SELECT uuid_send(t.id), ledger_transfer_hash(t)
FROM ledger_seals AS s
JOIN transfers AS t ON t.txid >= s.from_txid AND t.txid < s.to_txid
WHERE s.seq = %(seq)s
ORDER BY t.id;

-- name: transfer_exists
-- Ask whether a transfer is there at all.
SELECT EXISTS (SELECT FROM transfers WHERE id = %(id)s);

-- name: wrong_balances
-- Count the balances that are not what their last entries left, or not of those entries' owner and currency.
SELECT count(*)
FROM (
    SELECT holder_id FROM law_balance_is_last_entry
    UNION
    SELECT holder_id FROM law_entry_names_its_owner
) AS w;

-- name: seal_counts
-- Count seals, what they cover, and the entries that wait for a seal.
SELECT
    count(*),
    coalesce(sum(s.entry_count), 0)::bigint,
    coalesce(sum(s.transfer_count), 0)::bigint,
    greatest(
        (
            SELECT coalesce(sum(b.version), 0)::bigint
            FROM holder_balances AS b
        ) - coalesce(sum(s.entry_count), 0)::bigint,
        0
    )
FROM ledger_seals AS s;
