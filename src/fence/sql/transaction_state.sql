-- purpose: what became of a transaction. One that the server has not begun yet (it was restored from an older backup) never
--          was; NULL: so old that the server has forgotten it
-- params: $1 text transaction id
-- columns: committed, aborted, in progress or NULL
-- versions: 12-
SELECT CASE WHEN $1::text::bigint > pg_catalog.txid_current() THEN 'aborted' ELSE pg_catalog.txid_status($1::text::bigint) END
