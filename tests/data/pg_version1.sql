-- What version 1 of `vitalcache db setup` ran, for pg_setup_test.py: databases that it has set up are upgraded.
-- What vitalcache keeps in a PostgreSQL database (docs/FRESHNESS.md, section 3.2): the history of touches, the
-- epoch, and the functions that nodes call. What writes the touches is in pg_triggers.sql. `vitalcache db setup`
-- runs both in one transaction, any number of times: nothing here changes what is there already. PostgreSQL 13 and
-- newer.
--
-- Who may do what: the owner of the schema owns all of it. The role of the nodes reads, and calls the SECURITY
-- DEFINER functions; it writes no table itself. Those who write the application's tables need nothing here: triggers
-- act as the owner. All names are written with their schema, so that no search_path of a caller changes what they
-- mean.
CREATE SCHEMA IF NOT EXISTS vitalcache;

CREATE TABLE IF NOT EXISTS vitalcache.vc_version (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    version integer NOT NULL,
    script  text -- what `db setup` knows it by, so that it runs it again only when it must
);

-- Every commit adds what it touched, with its own transaction id, and nothing is ever updated: rows of other writers
-- are not waited for, so no writer blocks, fails or deadlocks because of a tag that others touch as well. A touch
-- becomes visible together with the data it tells of, so that every snapshot has both or neither.
--
-- A row has one tag, or, from a statement that touches several, all of them in one list: with a row and two index
-- entries for each tag, a statement that writes a hundred students' rows would take half as long again. The lists stand
-- together in vc_touch_tag, below NULL, by the time of writing. They stay in the row, uncompressed, while they fit.
CREATE TABLE IF NOT EXISTS vitalcache.vc_touch (
    tag  bytea,
    xid  xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
    tags bytea[]
) WITH (toast_tuple_target = 8160);
-- CREATE INDEX IF NOT EXISTS would wait for every writer, even when there is nothing to create.
DO $$
BEGIN
    IF pg_catalog.to_regclass('vitalcache.vc_touch_xid') IS NULL THEN
        CREATE INDEX vc_touch_xid ON vitalcache.vc_touch (xid);
    END IF;
    IF pg_catalog.to_regclass('vitalcache.vc_touch_tag') IS NULL THEN
        CREATE INDEX vc_touch_tag ON vitalcache.vc_touch (tag, xid);
    END IF;
END $$;

-- The epoch: which history snapshots and positions belong to. It holds while all of this is as stored; a copy, a
-- restored or promoted database differs in one of them. vc_alive is emptied by crash recovery, which may have lost
-- commits that were acknowledged (synchronous_commit = off) and hands out their transaction ids once more.
CREATE TABLE IF NOT EXISTS vitalcache.vc_epoch (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    incarnation uuid   NOT NULL,
    id          bigint NOT NULL CHECK (id > 0), -- what nodes compare: made of the incarnation
    system_id   bigint NOT NULL,
    timeline    text   NOT NULL,
    database    oid    NOT NULL,
    touches     oid    NOT NULL -- of vc_touch: another one after it was dropped and restored
);
CREATE UNLOGGED TABLE IF NOT EXISTS vitalcache.vc_alive (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    incarnation uuid NOT NULL
);

-- Databases set up when a row had one tag and no more. What read such rows only would not see lists: no answer of it
-- may count once there are any, hence the new epoch.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute
                   WHERE attrelid = 'vitalcache.vc_touch'::pg_catalog.regclass AND attname = 'tags') THEN
        ALTER TABLE vitalcache.vc_touch ADD tags bytea[], ALTER tag DROP NOT NULL, SET (toast_tuple_target = 8160);
        DELETE FROM vitalcache.vc_alive;
    END IF;
END $$;

-- Touches that are visible in this snapshot may have been removed: only snapshots that contain it can be checked.
CREATE TABLE IF NOT EXISTS vitalcache.vc_floor (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    snapshot pg_snapshot NOT NULL
);

-- Nodes that must know that a commit reached the synchronous replicas commit here.
CREATE TABLE IF NOT EXISTS vitalcache.vc_beat (
    node text PRIMARY KEY,
    n    bigint NOT NULL
);

-- --- tags: the bytes of tag_encode() in database/tag.c -------------------------------------------------------------

-- One kind byte, then each part after its length in two bytes; the tenant, empty today, comes first.
CREATE OR REPLACE FUNCTION vitalcache.vc_tag(kind integer, VARIADIC parts text[]) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    tag   bytea := set_byte('\x00', 0, kind);
    part  text;
    bytes bytea;
BEGIN
    FOREACH part IN ARRAY parts LOOP
        bytes := convert_to(part, 'UTF8');
        IF octet_length(bytes) > 512 THEN
            RAISE EXCEPTION 'a part of a tag has at most 512 bytes, not %', octet_length(bytes)
                USING ERRCODE = 'string_data_right_truncation';
        END IF;
        tag := tag || int2send(octet_length(bytes)::smallint) || bytes;
    END LOOP;
    RETURN tag;
END $$;

-- What a student's rows of a table touch; of the student as a whole when the table is ''.
CREATE OR REPLACE FUNCTION vitalcache.vc_tag_student(student text, table_name text DEFAULT '') RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT vitalcache.vc_tag(CASE table_name WHEN '' THEN 2 ELSE 1 END, '', student, table_name)
$$;

CREATE OR REPLACE FUNCTION vitalcache.vc_tag_container(subject text, id text, table_name text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT vitalcache.vc_tag(5, '', subject, id, table_name) $$;

CREATE OR REPLACE FUNCTION vitalcache.vc_tag_table(table_name text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT vitalcache.vc_tag(3, '', '', table_name) $$;

CREATE OR REPLACE FUNCTION vitalcache.vc_tag_all() RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT vitalcache.vc_tag(4, '', '', '') $$;

-- --- snapshots and the epoch ---------------------------------------------------------------------------------------

-- Whether all that is visible in `inner_one` is visible in `outer_one`; both of one primary.
CREATE OR REPLACE FUNCTION vitalcache.vc_contained(inner_one pg_snapshot, outer_one pg_snapshot) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_snapshot_xmax(outer_one) >= pg_snapshot_xmax(inner_one)
       AND NOT EXISTS (SELECT FROM pg_snapshot_xip(outer_one) AS running
                       WHERE running < pg_snapshot_xmax(inner_one)
                         AND running NOT IN (SELECT pg_snapshot_xip(inner_one)))
$$;

-- The snapshot of the caller's statement, and the epoch that it belongs to; NULL: none, whatever is read is not to
-- be cached. Plain SQL, so that it is planned into the statement that calls it and shares its snapshot. A standby
-- refuses it (vc_alive is not there).
CREATE OR REPLACE FUNCTION vitalcache.vc_here() RETURNS TABLE (snapshot text, epoch bigint)
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT pg_catalog.pg_current_snapshot()::pg_catalog.text,
           (SELECT e.id
            FROM vitalcache.vc_epoch AS e JOIN vitalcache.vc_alive AS a ON a.incarnation = e.incarnation
            WHERE e.system_id = (SELECT system_identifier FROM pg_catalog.pg_control_system())
              AND e.timeline = pg_catalog.left(
                      pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8)
              AND e.database = (SELECT oid FROM pg_catalog.pg_database
                                WHERE datname = pg_catalog.current_database())
              AND e.touches = 'vitalcache.vc_touch'::pg_catalog.regclass)
$$;

-- The same on a standby: the epoch that had been stored in the state that it shows.
CREATE OR REPLACE FUNCTION vitalcache.vc_here_replica() RETURNS TABLE (snapshot text, epoch bigint)
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT pg_catalog.pg_current_snapshot()::pg_catalog.text,
           (SELECT e.id
            FROM vitalcache.vc_epoch AS e
            WHERE pg_catalog.pg_is_in_recovery()
              AND e.system_id = (SELECT system_identifier FROM pg_catalog.pg_control_system())
              AND e.database = (SELECT oid FROM pg_catalog.pg_database
                                WHERE datname = pg_catalog.current_database())
              AND e.touches = 'vitalcache.vc_touch'::pg_catalog.regclass)
$$;

-- Returns the epoch's id; begins a new one when there is none. What was touched before needs no remembering: entries
-- of other epochs are void. Touches "of the future" came with a dump of another database.
CREATE OR REPLACE FUNCTION vitalcache.vc_begin_epoch() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    current bigint;
    fresh   uuid := gen_random_uuid();
BEGIN
    LOCK TABLE vitalcache.vc_epoch IN SHARE ROW EXCLUSIVE MODE; -- a second node takes what the first began
    SELECT epoch INTO current FROM vitalcache.vc_here();
    IF current IS NOT NULL THEN
        RETURN current;
    END IF;
    current := ('x' || left(replace(fresh::text, '-', ''), 16))::bit(64)::bigint & x'7fffffffffffffff'::bigint;
    INSERT INTO vitalcache.vc_epoch AS e (incarnation, id, system_id, timeline, database, touches)
    SELECT fresh, current, s.system_identifier, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
           d.oid, 'vitalcache.vc_touch'::regclass
    FROM pg_control_system() AS s, pg_database AS d WHERE d.datname = current_database()
    ON CONFLICT (one) DO UPDATE
       SET incarnation = excluded.incarnation, id = excluded.id, system_id = excluded.system_id,
           timeline = excluded.timeline, database = excluded.database, touches = excluded.touches;
    INSERT INTO vitalcache.vc_alive AS a (incarnation) VALUES (fresh)
    ON CONFLICT (one) DO UPDATE SET incarnation = excluded.incarnation;
    INSERT INTO vitalcache.vc_floor AS f (snapshot) VALUES (pg_current_snapshot())
    ON CONFLICT (one) DO UPDATE SET snapshot = excluded.snapshot;
    DELETE FROM vitalcache.vc_touch WHERE xid >= pg_snapshot_xmax(pg_current_snapshot());
    RETURN current;
END $$;

-- --- what nodes ask ------------------------------------------------------------------------------------------------

-- The head of a poll. `definitions` is another text whenever watched relations or their signatures are others: a node
-- then checks what its types read, though another node may have signed the change. plpgsql plans a statement when it first runs it: a standby, where vc_here() fails, gets an
-- answer.
CREATE OR REPLACE FUNCTION vitalcache.vc_poll(OUT is_primary boolean, OUT snapshot text, OUT epoch bigint,
    OUT floor text, OUT synchronous boolean, OUT version integer, OUT definitions text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    is_primary := NOT pg_is_in_recovery();
    IF is_primary THEN
        SELECT h.snapshot, h.epoch INTO vc_poll.snapshot, vc_poll.epoch FROM vitalcache.vc_here() AS h;
    ELSE
        SELECT h.snapshot, h.epoch INTO vc_poll.snapshot, vc_poll.epoch FROM vitalcache.vc_here_replica() AS h;
    END IF;
    SELECT f.snapshot::text INTO vc_poll.floor FROM vitalcache.vc_floor AS f;
    synchronous := current_setting('synchronous_standby_names') <> '';
    SELECT v.version INTO vc_poll.version FROM vitalcache.vc_version AS v;
    definitions := md5(concat((SELECT string_agg(w::text, ',' ORDER BY w::text) FROM vitalcache.vc_watch AS w),
                              (SELECT string_agg(s::text, ',' ORDER BY s.relation) FROM vitalcache.vc_signature AS s)));
END $$;

-- The tags whose touches became visible since the snapshot `after`, at most `most`; NULL: all there are. Exactly those:
-- what was running then is asked for by its id, however long it ran, and no touch is returned twice. Tags are not made
-- distinct: that would read all of a bulk load's, however few are asked for. Sequential scans are ruled out because the
-- planner does not know that `after` is always near the end; and jit with them, which would take the price of a scan
-- that is left for real.
CREATE OR REPLACE FUNCTION vitalcache.vc_touched(after text, most integer) RETURNS SETOF bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
    SELECT unnest(coalesce(tags, ARRAY[tag]))
    FROM (SELECT t.tag, t.tags FROM vitalcache.vc_touch AS t
          WHERE t.xid >= pg_snapshot_xmax(coalesce(after, '1:1:')::pg_snapshot)
          UNION ALL
          SELECT t.tag, t.tags FROM vitalcache.vc_touch AS t
          WHERE t.xid = ANY (ARRAY(SELECT pg_snapshot_xip(after::pg_snapshot)))) AS seen
    LIMIT most
$$;

-- Whether what was read in a snapshot still holds: snapshots[n] contains the floor, and none of its tags was touched
-- by what it does not contain. While a trigger is not in order nothing does. tags[i] belongs to snapshots[owners[i]],
-- counted from 1. The caller compares the epoch.
--
-- Lists of tags have no index by tag, so all since the snapshot are looked through; where there are more than 32, that
-- one of them has a tag of ours is taken for granted. What is found to hold is known in a new snapshot from then on: so
-- this only concerns what nobody has asked for during 32 statements that wrote rows of several students.
CREATE OR REPLACE FUNCTION vitalcache.vc_unmodified(owners integer[], tags bytea[], snapshots text[])
RETURNS TABLE (n integer, unmodified boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT s.n::integer,
           vitalcache.vc_contained(f.snapshot, s.snapshot::pg_snapshot)
           AND NOT EXISTS (SELECT FROM vitalcache.vc_state())
           AND NOT EXISTS (SELECT FROM unnest(owners, vc_unmodified.tags) AS o(owner, tag)
                           WHERE o.owner = s.n
                             AND EXISTS (SELECT FROM vitalcache.vc_touch AS t
                                         WHERE t.tag = o.tag
                                           AND t.xid >= pg_snapshot_xmin(s.snapshot::pg_snapshot)
                                           AND NOT pg_visible_in_snapshot(t.xid, s.snapshot::pg_snapshot)))
           AND (SELECT count(*) <= 32 AND NOT coalesce(bool_or(t.tags && ARRAY(
                           SELECT o.tag FROM unnest(owners, vc_unmodified.tags) AS o(owner, tag)
                           WHERE o.owner = s.n)), false)
                FROM (SELECT t.tags FROM vitalcache.vc_touch AS t
                      WHERE t.tag IS NULL AND t.xid >= pg_snapshot_xmax(s.snapshot::pg_snapshot)
                      UNION ALL
                      SELECT t.tags FROM vitalcache.vc_touch AS t
                      WHERE t.tag IS NULL AND t.xid = ANY (ARRAY(SELECT pg_snapshot_xip(s.snapshot::pg_snapshot)))
                      LIMIT 33) AS t)
    FROM unnest(snapshots) WITH ORDINALITY AS s(snapshot, n), vitalcache.vc_floor AS f;
END $$;

-- Of a partitioned table: whether its partitions, and where their rows are, are what the snapshot says.
CREATE OR REPLACE FUNCTION vitalcache.vc_steady_parts(root oid) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(WITH RECURSIVE member AS (
                     SELECT root AS oid
                     UNION ALL
                     SELECT i.inhrelid FROM member AS m JOIN pg_inherits AS i ON i.inhparent = m.oid
                 )
                 SELECT (m.oid, nullif(c.relfilenode, 0))::text
                 FROM member AS m JOIN pg_class AS c ON c.oid = m.oid ORDER BY m.oid)
         = ARRAY(SELECT (t.relid::oid, pg_relation_filenode(t.relid))::text
                 FROM pg_partition_tree(root) AS t ORDER BY t.relid::oid);
END $$;

-- Whether what this transaction's snapshot says of these relations is what its queries have read. PostgreSQL's DDL does
-- not wait for snapshots: a query that begins after a TRUNCATE, a rewriting ALTER TABLE, an ATTACH or a rename has been
-- committed reads the new table with the old snapshot, and finds it empty, though it never was. The catalogs read as
-- tables show what the snapshot shows; the functions below show what is there now. Asked behind the queries.
CREATE OR REPLACE FUNCTION vitalcache.vc_steady(relations text[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name  text;
    part  text[];
    now   oid;
    kind  "char";
    space oid; -- where its rows are
BEGIN
    FOREACH name IN ARRAY relations LOOP
        part := parse_ident(name);
        now := to_regclass(name);
        SELECT c.relkind, nullif(c.relfilenode, 0) INTO kind, space
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = now AND c.relname = part[2] AND n.nspname = part[1];
        IF NOT FOUND THEN
            CONTINUE WHEN now IS NULL; -- nor was it there, or else the query has failed
            RETURN false;
        ELSIF space IS DISTINCT FROM pg_relation_filenode(now)
           OR kind = 'p' AND NOT vitalcache.vc_steady_parts(now) THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;

-- --- what nodes do: as the owner -----------------------------------------------------------------------------------

-- Touches tags. VC001 when there is no epoch: the caller's token would belong to no history.
CREATE OR REPLACE FUNCTION vitalcache.vc_invalidate(tags bytea[], OUT epoch bigint, OUT xid bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT h.epoch INTO vc_invalidate.epoch FROM vitalcache.vc_here() AS h;
    IF vc_invalidate.epoch IS NULL THEN
        RAISE EXCEPTION 'vitalcache has no epoch: no node has polled since the last start' USING ERRCODE = 'VC001';
    END IF;
    xid := pg_current_xact_id()::text::bigint;
    INSERT INTO vitalcache.vc_touch (tag) SELECT DISTINCT t FROM unnest(tags) AS t WHERE t IS NOT NULL;
END $$;

-- For those who write SQL themselves and read their write through a node: `GET key AFTER token`. Call it within the
-- writing transaction.
CREATE OR REPLACE FUNCTION vitalcache.vc_token() RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    current bigint := (SELECT h.epoch FROM vitalcache.vc_here() AS h);
BEGIN
    IF current IS NULL THEN
        RAISE EXCEPTION 'vitalcache has no epoch: no node has polled since the last start' USING ERRCODE = 'VC001';
    END IF;
    RETURN format('v1-%s-%s', lpad(to_hex(current), 16, '0'), to_hex(pg_current_xact_id()::text::bigint));
END $$;

CREATE OR REPLACE FUNCTION vitalcache.vc_beat(node text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO vitalcache.vc_beat AS b (node, n) VALUES (vc_beat.node, 1)
    ON CONFLICT (node) DO UPDATE SET n = b.n + 1
$$;

-- Removes the touches that every snapshot from `older` on contains and raises the floor with them. False: another
-- node is at it, or the floor is as high already. `older` must be older than every entry that a node may still hold.
CREATE OR REPLACE FUNCTION vitalcache.vc_clean(older text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    least  xid8 := pg_snapshot_xmin(older::pg_snapshot);
    raised pg_snapshot := format('%s:%s:', least, least)::pg_snapshot;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('vitalcache'), hashtext('vc_clean')) THEN
        RETURN false;
    END IF;
    UPDATE vitalcache.vc_floor AS f SET snapshot = raised
    WHERE f.snapshot::text <> raised::text AND vitalcache.vc_contained(f.snapshot, raised)
      AND vitalcache.vc_contained(raised, pg_current_snapshot());
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM vitalcache.vc_touch WHERE xid < least;
    RETURN true;
END $$;
-- What writes the touches: which relations are watched, the triggers that these must have, and what is not in order
-- with them. Second half of what `vitalcache db setup` installs (after pg_setup.sql).

-- Whoever changes a row of `relation` touches the entries of `table_name` (a table of the record types): those of
-- the subject whose id stands in `column_name`; all of them, when there is no such column. `relation` is written as
-- format('%I.%I') writes it.
CREATE TABLE IF NOT EXISTS vitalcache.vc_watch (
    relation    text NOT NULL,
    table_name  text NOT NULL,
    subject     text, -- 'student', or the subject of other keys ('school')
    column_name text,
    CHECK ((subject IS NULL) = (column_name IS NULL)),
    EXCLUDE USING btree (relation WITH =, table_name WITH =, (coalesce(subject, '')) WITH =,
                         (coalesce(column_name, '')) WITH =)
);

-- What was there when a relation was last found in order.
CREATE TABLE IF NOT EXISTS vitalcache.vc_signature (
    relation  text PRIMARY KEY,
    signature text NOT NULL
);

-- --- what is there -------------------------------------------------------------------------------------------------

-- The watched relations with all that is below them: partitions, and children by inheritance. Catalogs are read as
-- tables, by name, and not through regclass or the like: these see newer states than the snapshot of the poll.
--
-- `outside`: what is done to a parent that is not watched changes its rows as well, and fires the parent's triggers
-- for statements only.
CREATE OR REPLACE VIEW vitalcache.vc_member AS
WITH RECURSIVE watched AS (
    SELECT relation, pg_catalog.parse_ident(relation) AS name FROM vitalcache.vc_watch GROUP BY relation
), member AS (
    SELECT w.relation, c.oid
    FROM watched AS w
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.name[1]
    JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name[2]
    UNION
    SELECT m.relation, i.inhrelid FROM member AS m JOIN pg_catalog.pg_inherits AS i ON i.inhparent = m.oid
), outsider AS (
    SELECT m.relation, m.oid FROM member AS m JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = m.oid
    WHERE (m.relation, i.inhparent) NOT IN (SELECT relation, oid FROM member)
    UNION
    SELECT o.relation, i.inhrelid FROM outsider AS o JOIN pg_catalog.pg_inherits AS i ON i.inhparent = o.oid
)
SELECT m.relation, m.oid, c.relkind, c.xmin::pg_catalog.text AS version,
       c.relkind = 'r' AND EXISTS (
           SELECT FROM pg_catalog.pg_subscription_rel AS s
           WHERE s.srrelid = c.oid OR s.srrelid IN (SELECT a FROM pg_catalog.pg_partition_ancestors(c.oid) AS a)
       ) AS replicated,
       c.relkind = 'r' AND (m.relation, m.oid) IN (SELECT relation, oid FROM outsider) AS outside
FROM member AS m JOIN pg_catalog.pg_class AS c ON c.oid = m.oid;

-- One text per relation that differs whenever a trigger, its function, the relation, the list of its children, a
-- column or a policy was changed in any way, even when it was changed back: the transaction ids of the catalog rows
-- are in it. So a restore that disables triggers, loads and enables them is seen, though everything is in order
-- afterwards.
CREATE OR REPLACE VIEW vitalcache.vc_now AS
SELECT m.relation, pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws(':',
           m.oid, m.relkind, m.version, m.replicated, m.outside, i.parents, t.triggers, r.rules, p.policies,
           a.columns), ' ' ORDER BY m.oid)) AS signature
FROM vitalcache.vc_member AS m
LEFT JOIN LATERAL (
    SELECT pg_catalog.string_agg(pg_catalog.concat_ws('.', i.inhparent, i.xmin), ',' ORDER BY i.inhparent) AS parents
    FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = m.oid
) AS i ON true
LEFT JOIN LATERAL (
    SELECT pg_catalog.string_agg(pg_catalog.concat_ws('.', t.oid, t.xmin, t.tgenabled, p.oid, p.xmin), ','
                                 ORDER BY t.oid) AS triggers
    FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
    WHERE t.tgrelid = m.oid AND p.pronamespace = 'vitalcache'::pg_catalog.regnamespace
) AS t ON true
LEFT JOIN LATERAL (
    SELECT pg_catalog.string_agg(pg_catalog.concat_ws('.', r.oid, r.xmin), ',' ORDER BY r.oid) AS rules
    FROM pg_catalog.pg_rewrite AS r WHERE r.ev_class = m.oid
) AS r ON true
LEFT JOIN LATERAL (
    SELECT pg_catalog.string_agg(pg_catalog.concat_ws('.', p.oid, p.xmin), ',' ORDER BY p.oid) AS policies
    FROM pg_catalog.pg_policy AS p WHERE p.polrelid = m.oid
) AS p ON true
LEFT JOIN LATERAL (
    SELECT pg_catalog.string_agg(pg_catalog.concat_ws('.', a.attnum, a.atttypid, a.xmin), ','
                                 ORDER BY a.attnum) AS columns
    FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = m.oid AND a.attnum > 0
) AS a ON true
GROUP BY m.relation;

-- --- what ought to be there ----------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vitalcache.vc_trigger_name(relation text, event text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('vc_on_%s_%s_%s', event,
                  left(regexp_replace((parse_ident(relation))[2], '[^A-Za-z0-9_]', '_', 'g'), 30),
                  left(md5(relation), 8))
$$;

-- The triggers of all members. Statement-level ones for all that SQL can do. Those do not fire for what a logical
-- subscription applies, nor a partition's for what goes through a parent, nor a parent's for what goes straight into a
-- partition: hence 'row', and hence all members.
CREATE OR REPLACE VIEW vitalcache.vc_expected AS
SELECT m.relation, m.oid, e.event, e.type::smallint AS type, vitalcache.vc_trigger_name(m.relation, e.event) AS name
FROM vitalcache.vc_member AS m
JOIN (VALUES ('insert', 4), ('delete', 8), ('update', 16), ('truncate', 32), ('row', 1 + 4 + 8 + 16)) AS e(event, type)
  ON m.relkind IN ('r', 'p') AND (e.event <> 'row' OR m.replicated OR m.outside);

-- One branch of a trigger function's INSERT: the tags of one line of vc_watch.
--
-- A migration may rename or drop the column of the subject. The application's writes must go on then: in the LATERAL
-- subquery the column's name means that of the transition table while it has one, and the one of `absent`, NULL,
-- from then on. Nothing is touched that way, which is safe: the very snapshot that shows a row written so also shows
-- vc_state() that the column is gone.
--
-- concat() writes an id with the output function of its type. A cast to text could be one that the owner of the
-- table has made, and would run with the rights of this schema's owner.
CREATE OR REPLACE FUNCTION vitalcache.vc_trigger_branch(watch vitalcache.vc_watch, event text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    prefix bytea := CASE watch.subject WHEN 'student' THEN '\x010000'::bytea
                    ELSE vitalcache.vc_tag(5, '', watch.subject) END;
    suffix bytea := substr(vitalcache.vc_tag(0, watch.table_name), 2);
    source text;
BEGIN
    IF watch.subject IS NULL OR event = 'truncate' THEN
        RETURN format('SELECT pg_catalog.decode(%L, ''hex'')%s',
                      encode(vitalcache.vc_tag_table(watch.table_name), 'hex'),
                      CASE event WHEN 'insert' THEN ' WHERE EXISTS (SELECT FROM vc_new)'
                                 WHEN 'update' THEN ' WHERE EXISTS (SELECT FROM vc_new)'
                                 WHEN 'delete' THEN ' WHERE EXISTS (SELECT FROM vc_old)' ELSE '' END);
    END IF;
    source := CASE event WHEN 'insert' THEN 'SELECT {%I} AS key FROM vc_new WHERE %1$I IS NOT NULL'
                         WHEN 'delete' THEN 'SELECT {%I} AS key FROM vc_old WHERE %1$I IS NOT NULL'
                         WHEN 'update' THEN 'SELECT {%I} AS key FROM vc_old WHERE %1$I IS NOT NULL'
                                            ' UNION ALL SELECT {%1$I} FROM vc_new WHERE %1$I IS NOT NULL'
                         WHEN 'row'    THEN 'SELECT {OLD.%I} AS key WHERE OLD.%1$I IS NOT NULL'
                                            ' UNION ALL SELECT {NEW.%1$I} WHERE NEW.%1$I IS NOT NULL' END;
    IF EXISTS (SELECT FROM vitalcache.vc_member AS m JOIN pg_attribute AS a ON a.attrelid = m.oid
               WHERE m.relation = watch.relation AND a.attname = watch.column_name
                 AND a.atttypid = 'bpchar'::regtype) THEN -- char(n): as text it ends before its padding
        source := replace(replace(source, '{', 'pg_catalog.rtrim(pg_catalog.concat('), '}', '), '' '')');
    ELSE
        source := replace(replace(source, '{', 'pg_catalog.concat('), '}', ')');
    END IF;
    source := format(source, watch.column_name);
    RETURN format($f$SELECT pg_catalog.decode(%L, 'hex') OPERATOR(pg_catalog.||)
           pg_catalog.int2send(pg_catalog.octet_length(id)::pg_catalog.int2) OPERATOR(pg_catalog.||)
           id OPERATOR(pg_catalog.||) pg_catalog.decode(%L, 'hex')
    FROM (SELECT DISTINCT pg_catalog.convert_to(changed.key, 'UTF8') AS id
          FROM (SELECT NULL::pg_catalog.text AS %I) AS absent,
               LATERAL (%s) AS changed) AS ids
    WHERE pg_catalog.octet_length(id) OPERATOR(pg_catalog.<=) 512$f$,
        encode(prefix, 'hex'), encode(suffix, 'hex'), watch.column_name, source);
END $$;

-- What a statement's trigger does about the tags that `branches` selects: one row for all of them, so that a writer of
-- a hundred students' rows pays for one touch. A list is bounded, in memory and for those who read it: a statement
-- that touches more than 200 tags (or none) is found out by the first INSERT, which then adds nothing.
CREATE OR REPLACE FUNCTION vitalcache.vc_trigger_insert(branches text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $outer$
    SELECT replace($f$    INSERT INTO vitalcache.vc_touch (tag, tags)
    SELECT CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 THEN (pg_catalog.array_agg(tag))[1] END,
           CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 THEN pg_catalog.array_agg(tag) END
    FROM (SELECT tag FROM ({branches}) AS touched(tag) LIMIT 201) AS first
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 AND pg_catalog.count(*) OPERATOR(pg_catalog.<) 201;
    IF NOT FOUND THEN
        INSERT INTO vitalcache.vc_touch (tags)
        SELECT pg_catalog.array_agg(tag)
        FROM (SELECT tag, pg_catalog.row_number() OVER () AS n FROM ({branches}) AS touched(tag)) AS numbered
        GROUP BY n OPERATOR(pg_catalog./) 200;
    END IF;
$f$, '{branches}', branches)
$outer$;

-- The source of a trigger function. Static SQL: planned once per session, and no row of the application is ever part
-- of a statement's text. For rows, `absent` does not do (OLD and NEW are no relations), so there the column is
-- looked up.
CREATE OR REPLACE FUNCTION vitalcache.vc_trigger_source(relation text, event text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    watch    vitalcache.vc_watch;
    one      text;
    source   text := '';
    branches text;
BEGIN
    FOR watch IN SELECT w.* FROM vitalcache.vc_watch AS w WHERE w.relation = relation
                 ORDER BY w.table_name, w.subject, w.column_name LOOP
        one := vitalcache.vc_trigger_branch(watch, event);
        IF event = 'row' AND watch.column_name IS NOT NULL THEN
            source := source || format($f$    IF EXISTS (SELECT FROM pg_catalog.pg_attribute
               WHERE attrelid OPERATOR(pg_catalog.=) TG_RELID AND attname OPERATOR(pg_catalog.=) %L
                 AND NOT attisdropped) THEN
        INSERT INTO vitalcache.vc_touch (tag) %s;
    END IF;
$f$, watch.column_name, one);
        ELSIF event = 'row' THEN
            source := source || format(E'    INSERT INTO vitalcache.vc_touch (tag)\n    %s;\n', one);
        ELSE
            branches := concat_ws(E'\n    UNION ALL\n    ', branches, one);
        END IF;
    END LOOP;
    IF branches IS NOT NULL THEN
        source := vitalcache.vc_trigger_insert(branches);
    END IF;
    RETURN format(E'\n#variable_conflict use_column\nBEGIN\n%s    RETURN NULL;\nEND ', source);
END $$;

-- --- what is not in order ------------------------------------------------------------------------------------------

-- Subjects' ids must have one text, whatever the settings of the writer's session: no dates, no floats, no numbers
-- that are equal but written differently, no text that is equal but not the same bytes.
CREATE OR REPLACE FUNCTION vitalcache.vc_is_key(type oid, modifier integer, collation_id oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE base AS (
        SELECT oid, typtype, typbasetype, modifier AS typmod FROM pg_type WHERE oid = type
        UNION ALL
        SELECT t.oid, t.typtype, t.typbasetype, b.typtypmod
        FROM (SELECT b.typbasetype, d.typtypmod FROM base AS b JOIN pg_type AS d ON d.oid = b.oid
              WHERE b.typtype = 'd') AS b
        JOIN pg_type AS t ON t.oid = b.typbasetype
    )
    SELECT coalesce(bool_or(
               b.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'uuid'::regtype, 'oid'::regtype)
               OR b.oid = 'numeric'::regtype AND typmod >= 4 AND (typmod - 4) & 65535 = 0
               OR b.oid IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'name'::regtype)
                  AND NOT EXISTS (SELECT FROM pg_collation AS c
                                  WHERE c.oid = collation_id AND NOT c.collisdeterministic)),
           false)
    FROM base AS b
$$;

-- Our triggers, and our trigger functions, as far as they are whole.
CREATE OR REPLACE VIEW vitalcache.vc_trigger AS
SELECT t.oid, t.tgrelid, t.tgname, t.tgenabled, t.tgtype, p.proname AS function
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
WHERE p.pronamespace = 'vitalcache'::pg_catalog.regnamespace AND NOT t.tgisinternal
  AND t.tgqual IS NULL AND pg_catalog.cardinality(t.tgattr::pg_catalog.int2[]) = 0
  AND (t.tgnewtable = 'vc_new') IS NOT DISTINCT FROM (CASE WHEN t.tgtype IN (4, 16) THEN true END)
  AND (t.tgoldtable = 'vc_old') IS NOT DISTINCT FROM (CASE WHEN t.tgtype IN (8, 16) THEN true END);

CREATE OR REPLACE VIEW vitalcache.vc_function AS
SELECT p.oid, p.proname AS name, p.prosrc AS source
FROM pg_catalog.pg_proc AS p
WHERE p.pronamespace = 'vitalcache'::pg_catalog.regnamespace
  AND p.prorettype = 'trigger'::pg_catalog.regtype AND p.prosecdef
  AND p.proconfig = '{"search_path=pg_catalog, pg_temp"}'
  AND p.prolang = (SELECT oid FROM pg_catalog.pg_language WHERE lanname = 'plpgsql')
  AND p.proowner = (SELECT relowner FROM pg_catalog.pg_class WHERE oid = 'vitalcache.vc_touch'::pg_catalog.regclass);

-- Why a relation cannot be watched as vc_watch says, in words for the operator; NULL: it can.
CREATE OR REPLACE FUNCTION vitalcache.vc_unfit(relation text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH watched AS (
        SELECT w.column_name, m.oid, m.relkind, a.attname, a.atttypid, a.atttypmod, a.attcollation
        FROM vitalcache.vc_watch AS w JOIN vitalcache.vc_member AS m ON m.relation = w.relation
        LEFT JOIN pg_attribute AS a
               ON a.attrelid = m.oid AND a.attname = w.column_name AND a.attnum > 0 AND NOT a.attisdropped
        WHERE w.relation = $1
    )
    SELECT problem FROM (
        SELECT 1 AS n, 'there is no such relation' AS problem WHERE NOT EXISTS (SELECT FROM watched)
        UNION ALL
        SELECT 2, format('%s is a view: it has no changes of its own, watch the tables behind it', oid::regclass)
        FROM watched WHERE relkind = 'v' AND column_name IS NOT NULL
        UNION ALL
        SELECT 3, format('it has no column %I', column_name)
        FROM watched WHERE relkind <> 'v' AND column_name IS NOT NULL AND attname IS NULL
        UNION ALL
        SELECT 4, format('column %I has the type %s, which can write one id in several ways', column_name,
                         format_type(atttypid, atttypmod))
        FROM watched WHERE attname IS NOT NULL AND NOT vitalcache.vc_is_key(atttypid, atttypmod, attcollation)
    ) AS found ORDER BY n, problem LIMIT 1
$$;

-- The first thing that is wrong with a relation; NULL: nothing.
CREATE OR REPLACE FUNCTION vitalcache.vc_problem(relation text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT problem FROM (
        SELECT 1 AS n, vitalcache.vc_unfit($1) AS problem
        UNION ALL
        SELECT 2, format('%s is a %s: no trigger can watch it', m.oid::regclass,
                         CASE m.relkind WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
                                        ELSE 'relation of kind ' || m.relkind::text END)
        FROM vitalcache.vc_member AS m WHERE m.relation = $1 AND m.relkind NOT IN ('r', 'p', 'v')
        UNION ALL
        SELECT 3, format('trigger %I on %s %s', e.name, e.oid::regclass,
                         CASE WHEN t.oid IS NULL THEN 'is missing'
                              WHEN t.tgenabled = 'D' THEN 'is disabled' ELSE 'is not enabled ALWAYS' END)
        FROM vitalcache.vc_expected AS e LEFT JOIN vitalcache.vc_trigger AS t
          ON t.tgrelid = e.oid AND t.tgname = e.name AND t.tgtype = e.type AND t.function = e.name
        WHERE e.relation = $1 AND coalesce(t.tgenabled, 'D') <> 'A'
        UNION ALL
        SELECT 4, format('function vitalcache.%I was altered', e.name)
        FROM (SELECT DISTINCT x.name, x.event FROM vitalcache.vc_expected AS x WHERE x.relation = $1) AS e
        WHERE NOT EXISTS (SELECT FROM vitalcache.vc_function AS f
                          WHERE f.name = e.name AND f.source = vitalcache.vc_trigger_source($1, e.event))
    ) AS found WHERE problem IS NOT NULL ORDER BY n, problem LIMIT 1
$$;

-- What is not in order now; no rows: everything is as it was recorded, in order. A relation whose signature is the
-- recorded one is not looked at any further, which makes this cheap enough for every poll.
CREATE OR REPLACE FUNCTION vitalcache.vc_state()
RETURNS TABLE (table_name text, relation text, problem text, changed boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT DISTINCT w.table_name, w.relation, vitalcache.vc_problem(w.relation), true
    FROM vitalcache.vc_watch AS w
    LEFT JOIN vitalcache.vc_now AS n ON n.relation = w.relation
    LEFT JOIN vitalcache.vc_signature AS s ON s.relation = w.relation
    WHERE n.signature IS NULL OR s.signature IS DISTINCT FROM n.signature;
END $$;

-- Of the relations that have changed and are in order: touches all entries of their tables and records the
-- signatures.
CREATE OR REPLACE FUNCTION vitalcache.vc_resign() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    LOCK TABLE vitalcache.vc_signature IN SHARE ROW EXCLUSIVE MODE;
    WITH changed AS (
        SELECT DISTINCT s.relation FROM vitalcache.vc_state() AS s WHERE s.problem IS NULL
    ), recorded AS (
        INSERT INTO vitalcache.vc_signature AS s (relation, signature)
        SELECT n.relation, n.signature FROM vitalcache.vc_now AS n JOIN changed AS c ON c.relation = n.relation
        ON CONFLICT (relation) DO UPDATE SET signature = excluded.signature
        RETURNING s.relation
    )
    INSERT INTO vitalcache.vc_touch (tag)
    SELECT DISTINCT vitalcache.vc_tag_table(w.table_name)
    FROM vitalcache.vc_watch AS w JOIN recorded AS r ON r.relation = w.relation;
END $$;

-- --- putting it in order -------------------------------------------------------------------------------------------

-- The statements that are missing for every watched relation to have its triggers, in their order; none: all is
-- there.
CREATE OR REPLACE FUNCTION vitalcache.vc_plan() RETURNS TABLE (relation text, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY -- triggers of ours that are not, or no longer, what they ought to be
    SELECT t.tgrelid::regclass::text, format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
    FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND p.prorettype = 'trigger'::regtype
      AND (p.pronamespace = 'vitalcache'::regnamespace AND p.proname LIKE 'vc\_on\_%'
           OR EXISTS (SELECT FROM vitalcache.vc_expected AS e WHERE e.oid = t.tgrelid AND e.name = t.tgname))
      AND NOT EXISTS (SELECT FROM vitalcache.vc_trigger AS w
                      JOIN vitalcache.vc_expected AS e
                        ON e.oid = w.tgrelid AND e.name = w.tgname AND e.name = w.function AND e.type = w.tgtype
                      WHERE w.oid = t.oid)
    ORDER BY 1, 2;

    RETURN QUERY
    SELECT NULL::text, unnest(ARRAY[
        format(E'CREATE OR REPLACE FUNCTION vitalcache.%I() RETURNS trigger\n'
               'LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS %L',
               e.name, vitalcache.vc_trigger_source(e.relation, e.event)),
        format('REVOKE ALL ON FUNCTION vitalcache.%I() FROM PUBLIC', e.name)])
    FROM (SELECT DISTINCT x.relation, x.event, x.name FROM vitalcache.vc_expected AS x) AS e
    WHERE NOT EXISTS (SELECT FROM vitalcache.vc_function AS f
                      WHERE f.name = e.name AND f.source = vitalcache.vc_trigger_source(e.relation, e.event))
    ORDER BY e.relation, e.name;

    RETURN QUERY
    SELECT e.oid::regclass::text, unnest(ARRAY[
        format('CREATE TRIGGER %I AFTER %s ON %s%s FOR EACH %s EXECUTE FUNCTION vitalcache.%1$I()', e.name,
               CASE e.event WHEN 'row' THEN 'INSERT OR UPDATE OR DELETE' ELSE upper(e.event) END, e.oid::regclass,
               CASE e.event WHEN 'insert' THEN ' REFERENCING NEW TABLE AS vc_new'
                            WHEN 'delete' THEN ' REFERENCING OLD TABLE AS vc_old'
                            WHEN 'update' THEN ' REFERENCING OLD TABLE AS vc_old NEW TABLE AS vc_new' ELSE '' END,
               CASE e.event WHEN 'row' THEN 'ROW' ELSE 'STATEMENT' END),
        format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', e.oid::regclass, e.name)])
    FROM vitalcache.vc_expected AS e
    WHERE NOT EXISTS (SELECT FROM vitalcache.vc_trigger AS t
                      WHERE t.tgrelid = e.oid AND t.tgname = e.name AND t.function = e.name AND t.tgtype = e.type)
    ORDER BY e.relation, e.oid::regclass::text, e.name;

    RETURN QUERY
    SELECT e.oid::regclass::text, format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', e.oid::regclass, e.name)
    FROM vitalcache.vc_expected AS e
    JOIN vitalcache.vc_trigger AS t
      ON t.tgrelid = e.oid AND t.tgname = e.name AND t.function = e.name AND t.tgtype = e.type
    WHERE t.tgenabled <> 'A'
    ORDER BY e.relation, e.oid::regclass::text, e.name;

    RETURN QUERY
    SELECT NULL::text, format('DROP FUNCTION %s', p.oid::regprocedure)
    FROM pg_proc AS p
    WHERE p.pronamespace = 'vitalcache'::regnamespace AND p.proname LIKE 'vc\_on\_%'
      AND p.prorettype = 'trigger'::regtype
      AND NOT EXISTS (SELECT FROM vitalcache.vc_expected AS e WHERE e.name = p.proname)
    ORDER BY p.proname;
END $$;

-- Does what vc_plan() lists; returns the number of statements. Needs the ownership of the relations: for the owner
-- of the schema, who is theirs too. Functions are nobody else's to put on other tables.
CREATE OR REPLACE FUNCTION vitalcache.vc_cover() RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    step record;
    done integer := 0;
BEGIN
    FOR step IN SELECT p.statement FROM vitalcache.vc_plan() AS p LOOP
        EXECUTE step.statement;
        done := done + 1;
    END LOOP;
    DELETE FROM vitalcache.vc_signature AS s
    WHERE NOT EXISTS (SELECT FROM vitalcache.vc_watch AS w WHERE w.relation = s.relation);
    PERFORM vitalcache.vc_resign();
    RETURN done;
END $$;

-- For an event trigger, which only a superuser can make: covers what DDL has just added, such as a partition. DDL of
-- the application never fails for it.
CREATE OR REPLACE FUNCTION vitalcache.vc_on_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('vitalcache.covering', true) = 'on' THEN -- the ALTER TABLE of vc_cover() itself
        RETURN;
    END IF;
    PERFORM set_config('vitalcache.covering', 'on', true);
    IF EXISTS (SELECT FROM vitalcache.vc_state()) THEN
        PERFORM vitalcache.vc_cover();
    END IF;
    PERFORM set_config('vitalcache.covering', 'off', true);
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'vitalcache could not cover the change: %', SQLERRM USING HINT = 'Run: vitalcache db setup';
END $$;

-- The statements that a role still needs to serve nodes; none: it has all. What it reads of the application's is not
-- ours to grant.
CREATE OR REPLACE FUNCTION vitalcache.vc_grants(role text) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('GRANT USAGE ON SCHEMA vitalcache TO %I', role)
    WHERE NOT has_schema_privilege(role, 'vitalcache', 'USAGE')
    UNION ALL
    SELECT format('GRANT SELECT ON %s TO %I', c.oid::regclass, role)
    FROM pg_class AS c
    WHERE c.relnamespace = 'vitalcache'::regnamespace
      AND c.relname IN ('vc_version', 'vc_touch', 'vc_epoch', 'vc_alive', 'vc_floor', 'vc_watch', 'vc_signature')
      AND NOT has_table_privilege(role, c.oid, 'SELECT')
    UNION ALL
    SELECT format('GRANT EXECUTE ON FUNCTION %s TO %I', p.oid::regprocedure, role)
    FROM pg_proc AS p
    WHERE p.pronamespace = 'vitalcache'::regnamespace
      AND p.proname IN ('vc_tag', 'vc_tag_student', 'vc_tag_container', 'vc_tag_table', 'vc_tag_all', 'vc_contained',
                        'vc_here', 'vc_here_replica', 'vc_poll', 'vc_touched', 'vc_unmodified',
                        'vc_steady', 'vc_steady_parts', 'vc_state',
                        'vc_begin_epoch', 'vc_resign', 'vc_clean', 'vc_invalidate', 'vc_token', 'vc_beat')
      AND NOT has_function_privilege(role, p.oid, 'EXECUTE')
    ORDER BY 1
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA vitalcache FROM PUBLIC;
INSERT INTO vitalcache.vc_version AS v (version) VALUES (1)
ON CONFLICT (one) DO UPDATE SET version = excluded.version;
