-- purpose: who comes into this database when it is fenced: superusers, ourselves, and those who are members of us
-- params: none
-- columns: role, why
-- versions: 12-
SELECT r.rolname,
       CASE WHEN r.rolsuper THEN 'superuser'
            WHEN r.rolname = CURRENT_USER THEN 'the role of pgfold'
            ELSE pg_catalog.concat('a member of ', CURRENT_USER) END
  FROM pg_catalog.pg_roles r
 WHERE r.rolcanlogin
   AND (r.rolsuper OR r.rolname = CURRENT_USER
        OR EXISTS (SELECT FROM pg_catalog.pg_roles me
                    WHERE me.rolname = CURRENT_USER AND NOT me.rolsuper AND pg_catalog.pg_has_role(r.oid, me.oid, 'USAGE')))
 ORDER BY NOT r.rolsuper, r.rolname COLLATE "C"
