-- purpose: extensions that a pattern matches
-- params: $1 text regular expression
-- columns: oid
-- versions: 12-
SELECT x.oid::text FROM pg_catalog.pg_extension x
 WHERE x.extname OPERATOR(pg_catalog.~) $1::text COLLATE pg_catalog."default"
