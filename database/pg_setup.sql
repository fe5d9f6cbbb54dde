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
-- A row has one tag, or, from a statement that changes rows of several students, their ids as one list: with a row and
-- two index entries for each of them, a statement that writes a hundred students' rows would take half as long again;
-- and with a hundred tags in a list, a quarter. So the tags are put together by those who read: each is `head`, the
-- length of an id, the id and `tail` (vc_tags). The lists stand together in vc_touch_tag, below NULL, by the time of
-- writing. They stay in the row, uncompressed, while they fit.
CREATE TABLE IF NOT EXISTS vitalcache.vc_touch (
    tag  bytea,
    xid  xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
    tags bytea[], -- whole tags: what version 1 wrote for several
    ids  text[],
    head bytea,
    tail bytea
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

-- Databases set up when a row had one tag and no more, or lists of whole tags. What read such rows only would not see
-- the newer ones: no answer of it may count once there are any, hence the new epoch. Every writer is waited for, and
-- others wait behind that, but not for long: `db setup` tries again.
DO $$
DECLARE
    patience text := pg_catalog.current_setting('lock_timeout');
    outdated text;
    missing  text := (SELECT pg_catalog.string_agg(pg_catalog.concat('ADD ', c.name, ' ', c.type), ', ' ORDER BY c.n)
                      FROM (VALUES (1, 'tags', 'bytea[]'), (2, 'ids', 'text[]'), (3, 'head', 'bytea'),
                                   (4, 'tail', 'bytea')) AS c(n, name, type)
                      WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                                        WHERE a.attrelid = 'vitalcache.vc_touch'::pg_catalog.regclass
                                          AND a.attname = c.name AND NOT a.attisdropped));
BEGIN
    IF missing IS NOT NULL THEN
        PERFORM pg_catalog.set_config('lock_timeout', '500ms', true);
        EXECUTE pg_catalog.concat('ALTER TABLE vitalcache.vc_touch ', missing,
                                  ', ALTER tag DROP NOT NULL, SET (toast_tuple_target = 8160)');
        PERFORM pg_catalog.set_config('lock_timeout', patience, true);
        DELETE FROM vitalcache.vc_alive;
        FOR outdated IN SELECT p.oid::pg_catalog.regprocedure FROM pg_catalog.pg_proc AS p
                        WHERE p.pronamespace = 'vitalcache'::pg_catalog.regnamespace
                          AND p.proname IN ('vc_trigger_branch', 'vc_trigger_insert') LOOP
            EXECUTE pg_catalog.concat('DROP FUNCTION ', outdated);
        END LOOP;
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

-- The tags that a list of ids stands for (vc_touch). An id that is too long for a tag has none.
CREATE OR REPLACE FUNCTION vitalcache.vc_tags(ids text[], head bytea, tail bytea) RETURNS bytea[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(head || int2send(octet_length(bytes)::smallint) || bytes || tail)
    FROM (SELECT convert_to(id, 'UTF8') AS bytes FROM unnest(ids) AS id OFFSET 0) AS id
    WHERE octet_length(bytes) <= 512
$$;

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
    SELECT unnest(CASE WHEN ids IS NULL THEN coalesce(tags, ARRAY[tag]) ELSE vitalcache.vc_tags(ids, head, tail) END)
    FROM (SELECT t.* FROM vitalcache.vc_touch AS t
          WHERE t.xid >= pg_snapshot_xmax(coalesce(after, '1:1:')::pg_snapshot)
          UNION ALL
          SELECT t.* FROM vitalcache.vc_touch AS t
          WHERE t.xid = ANY (ARRAY(SELECT pg_snapshot_xip(after::pg_snapshot)))) AS seen
    LIMIT most
$$;

-- Whether a list has this tag. What is behind the head and the length, and before the tail, is the id: the bytes of a
-- tag of this kind can be divided in no other way.
CREATE OR REPLACE FUNCTION vitalcache.vc_is_listed(asked bytea, list vitalcache.vc_touch) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    start integer := octet_length(list.head) + 3; -- of the id
    size  integer := octet_length(asked) - octet_length(list.tail) - octet_length(list.head) - 2;
BEGIN
    IF list.ids IS NULL THEN
        RETURN asked = ANY (list.tags);
    END IF;
    RETURN size >= 0 AND substr(asked, 1, start - 3) = list.head AND substr(asked, start + size) = list.tail
       AND convert_from(substr(asked, start, size), 'UTF8') COLLATE "C" = ANY (list.ids);
END $$;

-- Whether what was read in a snapshot still holds: snapshots[n] contains the floor, and none of its tags was touched
-- by what it does not contain. While a trigger is not in order nothing does. tags[i] belongs to snapshots[owners[i]],
-- counted from 1. The caller compares the epoch.
--
-- Lists have no index by tag, so all since the snapshot are looked through; where there are more than 32, that
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
           AND (SELECT count(*) <= 32 AND NOT coalesce(bool_or(EXISTS (
                           SELECT FROM unnest(owners, vc_unmodified.tags) AS o(owner, tag)
                           WHERE o.owner = s.n AND vitalcache.vc_is_listed(o.tag, t))), false)
                FROM (SELECT t.* FROM vitalcache.vc_touch AS t
                      WHERE t.tag IS NULL AND t.xid >= pg_snapshot_xmax(s.snapshot::pg_snapshot)
                      UNION ALL
                      SELECT t.* FROM vitalcache.vc_touch AS t
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
--
-- One statement for all of them, planned once for each session: it is part of every read.
CREATE OR REPLACE FUNCTION vitalcache.vc_steady(relations text[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM (SELECT parse_ident(name) AS part, to_regclass(name)::oid AS now
                     FROM unnest(relations) AS name OFFSET 0) AS asked
        LEFT JOIN LATERAL (SELECT c.oid, c.relkind, nullif(c.relfilenode, 0) AS space -- where its rows are
                           FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                           WHERE c.oid = asked.now AND c.relname = asked.part[2] AND n.nspname = asked.part[1]
                           OFFSET 0) AS seen ON true
        WHERE CASE WHEN seen.oid IS NULL THEN asked.now IS NOT NULL -- else it was not there either, or the query failed
                   ELSE seen.space IS DISTINCT FROM pg_relation_filenode(asked.now)
                        OR seen.relkind = 'p' AND NOT vitalcache.vc_steady_parts(asked.now) END);
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
