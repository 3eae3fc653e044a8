-- The questions to a running server. Each begins with `--: name versions`, then what it is for; the versions are majors, `13-15`, `16-` or
-- `-` for all. A name may stand several times with versions that do not overlap. Those with `each` go to each database of a primary, and only
-- when a major upgrade is meant (with `also`, at any time to that of the session too); what they look for is what pg_upgrade of 16 to 18 looks for. Each is one SELECT without side effects.

--: settings -
-- Settings. Some are our session's own (see `OWN_SETTINGS`): their `source` is `client`.
SELECT name, setting, unit, context, vartype, source, sourcefile, sourceline, boot_val, reset_val, pending_restart,
       min_val, max_val, enumvals
  FROM pg_catalog.pg_settings ORDER BY name

--: file_settings -
-- What the files say, in the order that they are read, with errors. For superusers.
SELECT sourcefile, sourceline, seqno, name, setting, applied, error
  FROM pg_catalog.pg_file_settings ORDER BY seqno

--: file_times -
-- When the files of the configuration were changed last, by the clock of the server's host. For superusers.
SELECT f.path, s.modification, s.modification > pg_catalog.pg_conf_load_time() AS after_load
  FROM (SELECT setting AS path FROM pg_catalog.pg_settings WHERE name IN ('config_file', 'hba_file', 'ident_file')
        UNION
        SELECT sourcefile FROM pg_catalog.pg_file_settings WHERE sourcefile IS NOT NULL) AS f
 CROSS JOIN LATERAL pg_catalog.pg_stat_file(f.path, true) AS s
 WHERE f.path IS NOT NULL ORDER BY f.path

--: hba_rules 13-15
-- pg_hba.conf as the server would read it now. Secrets of options stay there. For superusers.
SELECT line_number, type, database, user_name, address, netmask, auth_method,
       ARRAY(SELECT CASE WHEN o ~ '^(ldapbindpasswd|radiussecrets)=' THEN split_part(o, '=', 1) || '=***' ELSE o END
               FROM unnest(options) AS o) AS options,
       error
  FROM pg_catalog.pg_hba_file_rules ORDER BY line_number

--: hba_rules 16-
SELECT rule_number, file_name, line_number, type, database, user_name, address, netmask, auth_method,
       ARRAY(SELECT CASE WHEN o ~ '^(ldapbindpasswd|radiussecrets)=' THEN split_part(o, '=', 1) || '=***' ELSE o END
               FROM unnest(options) AS o) AS options,
       error
  FROM pg_catalog.pg_hba_file_rules ORDER BY rule_number NULLS LAST, file_name, line_number

--: ident_mappings 15-15
-- pg_ident.conf as the server would read it now. For superusers.
SELECT line_number, map_name, sys_name, pg_username, error
  FROM pg_catalog.pg_ident_file_mappings ORDER BY line_number

--: ident_mappings 16-
SELECT map_number, file_name, line_number, map_name, sys_name, pg_username, error
  FROM pg_catalog.pg_ident_file_mappings ORDER BY map_number NULLS LAST, file_name, line_number

--: slots 13-13
-- Replication slots.
SELECT slot_name, plugin, slot_type, database, temporary, active, active_pid, xmin, catalog_xmin, restart_lsn,
       confirmed_flush_lsn, wal_status, safe_wal_size
  FROM pg_catalog.pg_replication_slots ORDER BY slot_name

--: slots 14-15
SELECT slot_name, plugin, slot_type, database, temporary, active, active_pid, xmin, catalog_xmin, restart_lsn,
       confirmed_flush_lsn, wal_status, safe_wal_size, two_phase
  FROM pg_catalog.pg_replication_slots ORDER BY slot_name

--: slots 16-16
SELECT slot_name, plugin, slot_type, database, temporary, active, active_pid, xmin, catalog_xmin, restart_lsn,
       confirmed_flush_lsn, wal_status, safe_wal_size, two_phase, conflicting
  FROM pg_catalog.pg_replication_slots ORDER BY slot_name

--: slots 17-
SELECT slot_name, plugin, slot_type, database, temporary, active, active_pid, xmin, catalog_xmin, restart_lsn,
       confirmed_flush_lsn, wal_status, safe_wal_size, two_phase, conflicting, inactive_since, invalidation_reason,
       failover, synced
  FROM pg_catalog.pg_replication_slots ORDER BY slot_name

--: standbys -
-- Who receives WAL from this server. Without pg_read_all_stats most columns are NULL for sessions of others.
SELECT r.pid, r.usename, r.application_name, r.client_addr, r.client_hostname, r.client_port, r.backend_start, r.backend_xmin,
       r.state, r.sent_lsn, r.write_lsn, r.flush_lsn, r.replay_lsn, r.write_lag, r.flush_lag, r.replay_lag, r.sync_priority,
       r.sync_state, r.reply_time, s.slot_name
  FROM pg_catalog.pg_stat_replication AS r
  LEFT JOIN pg_catalog.pg_replication_slots AS s ON s.active_pid = r.pid
 ORDER BY r.application_name, r.pid

--: wal_receiver -
-- Whom this server receives WAL from; the server hides the password of conninfo.
SELECT pid, status, receive_start_lsn, receive_start_tli, written_lsn, flushed_lsn, received_tli, last_msg_send_time,
       last_msg_receipt_time, latest_end_lsn, latest_end_time, slot_name, sender_host, sender_port, conninfo
  FROM pg_catalog.pg_stat_wal_receiver

--: position -
-- Where the server is in the WAL.
SELECT pg_catalog.pg_is_in_recovery() AS in_recovery,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE pg_catalog.pg_current_wal_lsn() END AS current_lsn,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE pg_catalog.pg_current_wal_flush_lsn() END AS flushed_lsn,
       pg_catalog.pg_last_wal_receive_lsn() AS received_lsn,
       pg_catalog.pg_last_wal_replay_lsn() AS replayed_lsn,
       pg_catalog.pg_last_xact_replay_timestamp() AS replayed_until,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_is_wal_replay_paused() END AS replay_paused,
       pg_catalog.clock_timestamp() AS now

--: server -
-- The server as a whole.
SELECT pg_catalog.version() AS version,
       pg_catalog.pg_postmaster_start_time() AS started,
       pg_catalog.pg_conf_load_time() AS configuration_loaded,
       pg_catalog.inet_server_addr() AS server_addr,
       pg_catalog.inet_server_port() AS server_port,
       pg_catalog.inet_client_addr() AS client_addr,
       (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS superuser,
       pg_catalog.pg_has_role(current_user, 'pg_read_all_settings', 'USAGE') AS reads_all_settings,
       pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS reads_all_stats

--: control_system -
-- pg_control: whose data this is.
SELECT pg_control_version, catalog_version_no, system_identifier, pg_control_last_modified
  FROM pg_catalog.pg_control_system()

--: control_checkpoint -
-- pg_control: the last checkpoint, with the timeline.
SELECT checkpoint_lsn, redo_lsn, redo_wal_file, timeline_id, prev_timeline_id, full_page_writes, next_xid, next_oid,
       checkpoint_time
  FROM pg_catalog.pg_control_checkpoint()

--: control_recovery -
-- pg_control: recovery.
SELECT min_recovery_end_lsn, min_recovery_end_timeline, backup_start_lsn, backup_end_lsn, end_of_backup_record_required
  FROM pg_catalog.pg_control_recovery()

--: control_init -
-- pg_control: what initdb and the build decided.
SELECT max_data_alignment, database_block_size, blocks_per_segment, wal_block_size, bytes_per_wal_segment,
       max_identifier_length, max_index_columns, max_toast_chunk_size, large_object_chunk_size, float8_pass_by_value,
       data_page_checksum_version
  FROM pg_catalog.pg_control_init()

--: roles -
-- Roles.
SELECT oid, rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
       rolconnlimit, rolvaliduntil
  FROM pg_catalog.pg_roles ORDER BY rolname

--: role_members 13-15
-- Who is a member of what.
SELECT g.rolname AS role, m.rolname AS member, a.admin_option
  FROM pg_catalog.pg_auth_members AS a
  JOIN pg_catalog.pg_roles AS g ON g.oid = a.roleid
  JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
 ORDER BY 1, 2

--: role_members 16-
SELECT g.rolname AS role, m.rolname AS member, a.admin_option, a.inherit_option, a.set_option
  FROM pg_catalog.pg_auth_members AS a
  JOIN pg_catalog.pg_roles AS g ON g.oid = a.roleid
  JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
 ORDER BY 1, 2, 3, 4, 5

--: role_passwords -
-- Of which kind the passwords of roles are; the verifier itself stays in the server. For superusers.
SELECT rolname,
       CASE WHEN rolpassword IS NULL THEN 'none'
            WHEN rolpassword ~ '^SCRAM-SHA-256[$]' THEN 'SCRAM-SHA-256'
            WHEN rolpassword ~ '^md5[0-9a-f]{32}$' THEN 'md5'
            ELSE 'other' END AS kind
  FROM pg_catalog.pg_authid ORDER BY rolname

--: role_settings -
-- ALTER ROLE … SET and ALTER DATABASE … SET; an empty role or database means all.
SELECT r.rolname AS role, d.datname AS database, split_part(c.entry, '=', 1) AS name,
       substr(c.entry, strpos(c.entry, '=') + 1) AS setting
  FROM pg_catalog.pg_db_role_setting AS s
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
 CROSS JOIN LATERAL unnest(s.setconfig) AS c(entry)
 ORDER BY 1 NULLS FIRST, 2 NULLS FIRST, 3

--: rewind_privileges -
-- Who may call the functions that pg_rewind needs, in this database.
SELECT pg_catalog.current_database() AS database, r.rolname, f.signature, pg_catalog.has_function_privilege(r.oid, f.signature, 'EXECUTE') AS allowed
  FROM pg_catalog.pg_roles AS r
 CROSS JOIN (VALUES ('pg_catalog.pg_ls_dir(text,boolean,boolean)'),
                    ('pg_catalog.pg_stat_file(text,boolean)'),
                    ('pg_catalog.pg_read_binary_file(text)'),
                    ('pg_catalog.pg_read_binary_file(text,bigint,bigint,boolean)')) AS f(signature)
 WHERE r.rolcanlogin ORDER BY 2, 3

--: databases 13-14
-- Databases.
SELECT d.oid, d.datname, pg_catalog.pg_get_userbyid(d.datdba) AS owner, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate, d.datctype, d.datistemplate, d.datallowconn, d.datconnlimit, t.spcname AS tablespace
  FROM pg_catalog.pg_database AS d LEFT JOIN pg_catalog.pg_tablespace AS t ON t.oid = d.dattablespace ORDER BY d.datname

--: databases 15-16
SELECT d.oid, d.datname, pg_catalog.pg_get_userbyid(d.datdba) AS owner, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate, d.datctype, d.datistemplate, d.datallowconn, d.datconnlimit, t.spcname AS tablespace,
       d.datlocprovider, d.daticulocale AS datlocale, d.datcollversion
  FROM pg_catalog.pg_database AS d LEFT JOIN pg_catalog.pg_tablespace AS t ON t.oid = d.dattablespace ORDER BY d.datname

--: databases 17-
SELECT d.oid, d.datname, pg_catalog.pg_get_userbyid(d.datdba) AS owner, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate, d.datctype, d.datistemplate, d.datallowconn, d.datconnlimit, t.spcname AS tablespace,
       d.datlocprovider, d.datlocale, d.datcollversion, d.dathasloginevt
  FROM pg_catalog.pg_database AS d LEFT JOIN pg_catalog.pg_tablespace AS t ON t.oid = d.dattablespace ORDER BY d.datname

--: size -
-- What the data of all databases take on the disk, without the WAL.
SELECT sum(pg_catalog.pg_database_size(oid)) AS bytes FROM pg_catalog.pg_database

--: event_triggers -
-- Event triggers of this database; those of `login` run when Patroni logs in.
SELECT evtname, evtevent, evtenabled, pg_catalog.pg_get_userbyid(evtowner) AS owner FROM pg_catalog.pg_event_trigger
 ORDER BY evtname

--: tablespaces -
-- Tablespaces and where they lie.
SELECT oid, spcname, pg_catalog.pg_get_userbyid(spcowner) AS owner, pg_catalog.pg_tablespace_location(oid) AS location
  FROM pg_catalog.pg_tablespace ORDER BY spcname

--: publications -
-- Publications of this database.
SELECT pubname, pg_catalog.pg_get_userbyid(pubowner) AS owner, puballtables, pubinsert, pubupdate, pubdelete, pubtruncate
  FROM pg_catalog.pg_publication ORDER BY pubname

--: subscriptions 13-13
-- Subscriptions of all databases, without their connection strings; 13 shows their synchronous_commit to superusers only.
SELECT d.datname AS database, s.subname, pg_catalog.pg_get_userbyid(s.subowner) AS owner, s.subenabled, s.subslotname,
       s.subpublications
  FROM pg_catalog.pg_subscription AS s JOIN pg_catalog.pg_database AS d ON d.oid = s.subdbid ORDER BY 1, 2

--: subscriptions 14-16
SELECT d.datname AS database, s.subname, pg_catalog.pg_get_userbyid(s.subowner) AS owner, s.subenabled, s.subslotname,
       s.subsynccommit, s.subpublications
  FROM pg_catalog.pg_subscription AS s JOIN pg_catalog.pg_database AS d ON d.oid = s.subdbid ORDER BY 1, 2

--: subscriptions 17-
SELECT d.datname AS database, s.subname, pg_catalog.pg_get_userbyid(s.subowner) AS owner, s.subenabled, s.subslotname,
       s.subsynccommit, s.subpublications, s.subfailover
  FROM pg_catalog.pg_subscription AS s JOIN pg_catalog.pg_database AS d ON d.oid = s.subdbid ORDER BY 1, 2

--: prepared_transactions -
-- Prepared transactions of all databases.
SELECT gid, prepared, owner, database FROM pg_catalog.pg_prepared_xacts ORDER BY prepared, gid

--: extensions -
-- Extensions of this database.
SELECT e.extname, e.extversion, n.nspname AS schema, pg_catalog.pg_get_userbyid(e.extowner) AS owner
  FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace ORDER BY e.extname

--: libraries - each also
-- Libraries that functions of this database need (`function.c:get_loadable_libraries`).
SELECT DISTINCT p.probin AS library
  FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
 WHERE l.lanname = 'c' AND p.probin IS NOT NULL AND p.oid >= 16384 ORDER BY 1

--: upgrade_columns - each
-- Columns of this database that hold a type whose values pg_upgrade cannot carry over: itself, or in a domain, an array, a composite type or a range
-- (`check.c:data_types_usage_checks`).
SELECT DISTINCT n.nspname AS schema, c.relname AS relation, a.attname AS column, held.root AS type
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN (WITH RECURSIVE oids AS (
          SELECT t.oid, t.typname AS root FROM pg_catalog.pg_type AS t
           WHERE t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
             AND t.typname IN ('regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper', 'regoperator',
                               'regproc', 'regprocedure', 'aclitem')
          UNION
          SELECT further.oid, oids.root
            FROM oids CROSS JOIN LATERAL (
                   SELECT t.oid FROM pg_catalog.pg_type AS t WHERE t.typbasetype = oids.oid AND t.typtype = 'd'
                   UNION ALL
                   SELECT t.oid FROM pg_catalog.pg_type AS t WHERE t.typelem = oids.oid AND t.typtype = 'b'
                   UNION ALL
                   SELECT t.oid FROM pg_catalog.pg_type AS t
                     JOIN pg_catalog.pg_class AS tc ON tc.oid = t.typrelid
                     JOIN pg_catalog.pg_attribute AS ta ON ta.attrelid = tc.oid
                    WHERE t.typtype = 'c' AND ta.atttypid = oids.oid AND NOT ta.attisdropped
                   UNION ALL
                   SELECT t.oid FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_range AS r ON r.rngtypid = t.oid
                    WHERE t.typtype = 'r' AND r.rngsubtype = oids.oid) AS further)
        SELECT oids.oid, oids.root FROM oids) AS held ON held.oid = a.atttypid
 WHERE NOT a.attisdropped AND c.relkind IN ('r', 'm', 'i')
   AND n.nspname !~ '^pg_(toast_)?temp_' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
 ORDER BY 1, 2, 3, 4

--: upgrade_not_null -17 each
-- Columns of child tables of this database that may be null where the parent's may not (`check.c:check_for_not_null_inheritance`).
SELECT n.nspname AS schema, c.relname AS relation, a.attname AS column
  FROM pg_catalog.pg_inherits AS i
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.inhrelid
  JOIN pg_catalog.pg_attribute AS p ON p.attrelid = i.inhparent AND p.attname = a.attname
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE p.attnum > 0 AND p.attnotnull AND NOT a.attnotnull
 ORDER BY 1, 2, 3

--: upgrade_operators 13-13 each
-- Operators of this database that stand behind their operand, which 14 does not know any more (`check.c:check_for_user_defined_postfix_ops`).
SELECT n.nspname AS schema, o.oprname AS operator
  FROM pg_catalog.pg_operator AS o JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
 WHERE o.oprright = 0 AND o.oid >= 16384 ORDER BY 1, 2

--: archiver -
-- How archiving goes.
SELECT archived_count, last_archived_wal, last_archived_time, failed_count, last_failed_wal, last_failed_time, stats_reset
  FROM pg_catalog.pg_stat_archiver

--: own_tls -
-- The encryption of our own session.
SELECT ssl, version, cipher, bits, client_dn FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()
