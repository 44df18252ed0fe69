-- purpose: extensions that a pattern matches. Runs under the role's own search path: every operator and type is qualified
-- params: $1 text regular expression
-- columns: oid
-- versions: 12-
SELECT x.oid::pg_catalog.text FROM pg_catalog.pg_extension x
 WHERE x.extname OPERATOR(pg_catalog.~) $1::pg_catalog.text COLLATE pg_catalog."default"
