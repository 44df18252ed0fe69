-- purpose: every role of this server, but for passwords
-- params: none
-- columns: name, attributes, settings, memberships in either direction, as texts to be compared
-- versions: 12-
SELECT r.rolname, (pg_catalog.to_jsonb(r) - ARRAY['rolpassword', 'rolconfig'])::text,
       (SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(s) ORDER BY s.setdatabase)::text
          FROM pg_catalog.pg_db_role_setting s WHERE s.setrole = r.oid),
       (SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(m) ORDER BY m.roleid, m.member, m.grantor)::text
          FROM pg_catalog.pg_auth_members m WHERE m.roleid = r.oid OR m.member = r.oid)
  FROM pg_catalog.pg_roles r
 ORDER BY r.rolname COLLATE "C"
