-- purpose: prepared transactions of this database: each can still be committed, whatever is read-only by then
-- params: none
-- columns: what it is, the statement that ends it
-- versions: 12-
SELECT pg_catalog.format('prepared transaction %L of %s, since %s', gid, owner,
                         pg_catalog.to_char(prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
       pg_catalog.format('COMMIT PREPARED %L; or ROLLBACK PREPARED %L;', gid, gid)
  FROM pg_catalog.pg_prepared_xacts
 WHERE database = pg_catalog.current_database()
 ORDER BY prepared
