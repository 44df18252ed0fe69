-- purpose: writes the privileges of this database as they were stored before, where they mean the same as those that are
--          stored now: another order, or none stored at all (which means the default). For superusers
-- params: $1 text privileges, or NULL
-- columns: none
-- versions: 12-
UPDATE pg_catalog.pg_database d SET datacl = $1::text::pg_catalog.aclitem[]
 WHERE d.datname = pg_catalog.current_database() AND d.datacl::text IS DISTINCT FROM $1::text
   AND NOT EXISTS (SELECT FROM (SELECT a.* FROM pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
                                EXCEPT
                                SELECT b.* FROM pg_catalog.aclexplode(coalesce($1::text::pg_catalog.aclitem[], pg_catalog.acldefault('d', d.datdba))) b) x)
   AND NOT EXISTS (SELECT FROM (SELECT b.* FROM pg_catalog.aclexplode(coalesce($1::text::pg_catalog.aclitem[], pg_catalog.acldefault('d', d.datdba))) b
                                EXCEPT
                                SELECT a.* FROM pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a) x)
