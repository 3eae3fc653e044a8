\set pw secret
CREATE ROLE rep WITH REPLICATION LOGIN PASSWORD 'x' VALID UNTIL '2030-01-01';
ALTER USER rep SET work_mem TO '4MB';
GRANT EXECUTE ON function pg_catalog.pg_ls_dir(text, boolean, boolean) TO rep;
DO $$ BEGIN IF true THEN CREATE ROLE a IN ROLE rep; END IF; EXECUTE 'ALTER ROLE a LOGIN'; END $$;
SELECT 'CREATE DATABASE x' \gexec
ALTER SYSTEM SET wal_level = logical;
SELECT pg_create_physical_replication_slot('n2'); -- c
CREATE ROLE :"who" PASSWORD :'pw';
