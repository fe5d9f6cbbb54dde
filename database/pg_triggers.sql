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

-- Ids of these types are told apart by themselves, which is cheaper than by their texts. Were the column's type
-- changed, PostgreSQL would take the last of these functions: the statement must not fail, whatever the type is now.
-- All of them become part of the statements that call them.
CREATE OR REPLACE FUNCTION vitalcache.vc_id(id smallint) RETURNS smallint LANGUAGE sql STABLE AS 'SELECT $1';
CREATE OR REPLACE FUNCTION vitalcache.vc_id(id integer) RETURNS integer LANGUAGE sql STABLE AS 'SELECT $1';
CREATE OR REPLACE FUNCTION vitalcache.vc_id(id bigint) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT $1';
CREATE OR REPLACE FUNCTION vitalcache.vc_id(id oid) RETURNS oid LANGUAGE sql STABLE AS 'SELECT $1';
CREATE OR REPLACE FUNCTION vitalcache.vc_id(id uuid) RETURNS uuid LANGUAGE sql STABLE AS 'SELECT $1';
CREATE OR REPLACE FUNCTION vitalcache.vc_id(id anyelement) RETURNS text LANGUAGE sql STABLE
AS 'SELECT CASE WHEN $1 IS NOT NULL THEN pg_catalog.left(pg_catalog.concat($1), 513) END';

-- How a trigger reads the id in the column of a line of vc_watch; NULL: the row has none. {} stands for the column.
--
-- concat() writes an id with the output function of its type. A cast to text could be one that the owner of the
-- table has made, and would run with the rights of this schema's owner. Who is longer than 512 characters has no tag.
CREATE OR REPLACE FUNCTION vitalcache.vc_trigger_key(watch vitalcache.vc_watch) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN bool_and(a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'oid'::regtype,
                                             'uuid'::regtype)) THEN 'vitalcache.vc_id({})'
                ELSE format('CASE WHEN {} IS NOT NULL THEN pg_catalog.left(%s, 513) COLLATE pg_catalog."C" END',
                            CASE WHEN bool_or(a.atttypid = 'bpchar'::regtype) -- char(n): as text it has no padding
                                 THEN 'pg_catalog.rtrim(pg_catalog.concat({}), '' '')'
                                 ELSE 'pg_catalog.concat({})' END) END
    FROM vitalcache.vc_member AS m JOIN pg_attribute AS a ON a.attrelid = m.oid
    WHERE m.relation = watch.relation AND a.attname = watch.column_name
$$;

-- The ids that a statement, or for 'row' a row, changes rows of, for one line of vc_watch: a query with the column
-- `key`, NULL for rows without one.
--
-- A migration may rename or drop the column of the subject. The application's writes must go on then: in the LATERAL
-- subquery the column's name means that of the transition table while it has one, and the one of `absent`, NULL,
-- from then on. Nothing is touched that way, which is safe: the very snapshot that shows a row written so also shows
-- vc_state() that the column is gone.
CREATE OR REPLACE FUNCTION vitalcache.vc_trigger_keys(watch vitalcache.vc_watch, event text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key     text := vitalcache.vc_trigger_key(watch);
    changed text := replace(key, '{}', quote_ident(watch.column_name));
BEGIN
    IF event = 'row' THEN
        RETURN format('SELECT %s AS key UNION ALL SELECT %s',
                      replace(key, '{}', format('OLD.%I', watch.column_name)),
                      replace(key, '{}', format('NEW.%I', watch.column_name)));
    END IF;
    changed := CASE event WHEN 'insert' THEN format('SELECT %s FROM vc_new', changed)
                          WHEN 'delete' THEN format('SELECT %s FROM vc_old', changed)
                          ELSE format('SELECT %s FROM vc_old UNION ALL SELECT %1$s FROM vc_new', changed) END;
    RETURN format('SELECT changed.key FROM (SELECT NULL::pg_catalog.text AS %I) AS absent,'
                  ' LATERAL (%s) AS changed(key)', watch.column_name, changed);
END $$;

-- One branch of the INSERTs of a trigger function: what one line of vc_watch adds to vc_touch (tag, ids, head, tail).
-- One id is a tag; more are a list. Two forms, between which vc_trigger_insert() decides:
--
-- `few`: of a statement that has changed at most 400 rows, counting old and new ones. It sorts the ids, which is the
-- cheapest for so few, and counts before it looks at any of them, so that all branches of a statement agree.
--
-- Otherwise: of any number of rows, 200 ids to the list, so that it is bounded, in memory and for those who read it.
--
-- An id that cannot be written in UTF-8 is an error of the writer's statement, not of those who read the list: where
-- the database has another encoding, it is tried.
CREATE OR REPLACE FUNCTION vitalcache.vc_trigger_branch(watch vitalcache.vc_watch, event text, few boolean) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $outer$
DECLARE
    kind text := format('pg_catalog.decode(%L, ''hex'')',
                        encode(CASE watch.subject WHEN 'student' THEN '\x010000'::bytea
                               ELSE vitalcache.vc_tag(5, '', watch.subject) END, 'hex'));
    name text := format('pg_catalog.decode(%L, ''hex'')',
                        encode(substr(vitalcache.vc_tag(0, watch.table_name), 2), 'hex'));
    fits text := CASE WHEN few AND getdatabaseencoding() = 'UTF8' THEN 'key IS NOT NULL'
                      ELSE 'key IS NOT NULL AND pg_catalog.octet_length(pg_catalog.convert_to(pg_catalog.concat(key),'
                           ' ''UTF8'')) OPERATOR(pg_catalog.<=) 512' END;
    ids  text := 'pg_catalog.array_agg(key)';
    rows text := '{keys}';
    form text := $f$SELECT CASE WHEN size OPERATOR(pg_catalog.=) 1 THEN {kind} OPERATOR(pg_catalog.||)
               pg_catalog.int2send(pg_catalog.octet_length(id)::pg_catalog.int2) OPERATOR(pg_catalog.||)
               id OPERATOR(pg_catalog.||) {name} END,
           CASE WHEN size OPERATOR(pg_catalog.>) 1 THEN ids::pg_catalog.text[] END,
           CASE WHEN size OPERATOR(pg_catalog.>) 1 THEN {kind} END,
           CASE WHEN size OPERATOR(pg_catalog.>) 1 THEN {name} END
    FROM (SELECT {ids} AS ids, pg_catalog.cardinality({ids}) AS size, pg_catalog.count(*) AS rows,
                 pg_catalog.convert_to(pg_catalog.concat(({ids})[1]), 'UTF8') AS id
          FROM ({rows}) AS changed
          {group}OFFSET 0) AS touched
    WHERE {limit}(size OPERATOR(pg_catalog.>) 1
        OR size OPERATOR(pg_catalog.=) 1 AND pg_catalog.octet_length(id) OPERATOR(pg_catalog.<=) 512)$f$;
BEGIN
    IF few THEN
        ids := format('pg_catalog.array_agg(DISTINCT key) FILTER (WHERE %s)', fits);
        rows := '{keys} LIMIT 401';
        form := replace(replace(form, '{group}', ''), '{limit}', 'rows OPERATOR(pg_catalog.<=) 400 AND ');
    ELSE
        rows := format('SELECT key, pg_catalog.row_number() OVER () OPERATOR(pg_catalog.-) 1 AS n'
                       ' FROM (SELECT DISTINCT key FROM ({keys}) AS changed) AS ids WHERE %s', fits);
        form := replace(replace(form, '{group}', 'GROUP BY n OPERATOR(pg_catalog./) 200 '), '{limit}', '');
    END IF;
    form := replace(replace(replace(replace(form, '{ids}', ids), '{rows}', rows), '{kind}', kind), '{name}', name);
    RETURN replace(form, '{keys}', vitalcache.vc_trigger_keys(watch, event)); -- with names that may be anything
END $outer$;

-- The same for a line without a subject, and for a TRUNCATE: the table's tag.
CREATE OR REPLACE FUNCTION vitalcache.vc_trigger_table(watch vitalcache.vc_watch, event text, few boolean) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('SELECT pg_catalog.decode(%L, ''hex''), NULL::pg_catalog.text[], NULL::pg_catalog.bytea,'
                  ' NULL::pg_catalog.bytea%s',
                  encode(vitalcache.vc_tag_table(watch.table_name), 'hex'),
                  CASE WHEN event IN ('row', 'truncate') THEN ''
                       WHEN few THEN format(E'\n    WHERE (SELECT pg_catalog.count(*) FROM (%s LIMIT 401) AS changed)'
                                            ' BETWEEN 1 AND 400', changed.rows)
                       ELSE format(E'\n    WHERE EXISTS (%s)', changed.rows) END)
    FROM (SELECT CASE event WHEN 'insert' THEN 'SELECT FROM vc_new' WHEN 'delete' THEN 'SELECT FROM vc_old'
                            ELSE 'SELECT FROM vc_old UNION ALL SELECT FROM vc_new' END) AS changed(rows)
$$;

-- What a statement's trigger does about all of its lines of vc_watch. A statement that changes more rows than `few`
-- takes is found out by the first INSERT, which then adds nothing, for any line; nor does it when there is nothing to
-- touch, and then the second does not either.
CREATE OR REPLACE FUNCTION vitalcache.vc_trigger_insert(relation text, event text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $outer$
#variable_conflict use_variable
DECLARE
    forms text[];
BEGIN
    SELECT array_agg(f.branches ORDER BY f.few DESC) INTO forms
    FROM (SELECT few, string_agg(CASE WHEN w.subject IS NULL OR event = 'truncate'
                                      THEN vitalcache.vc_trigger_table(w, event, few)
                                      ELSE vitalcache.vc_trigger_branch(w, event, few) END, E'\n    UNION ALL\n    '
                                 ORDER BY w.table_name, w.subject, w.column_name) AS branches
          FROM vitalcache.vc_watch AS w, (VALUES (true), (false)) AS form(few)
          WHERE w.relation = relation GROUP BY few) AS f;
    RETURN E'    INSERT INTO vitalcache.vc_touch (tag, ids, head, tail)\n    ' || forms[1] || E';\n'
        || CASE WHEN forms[1] = forms[2] THEN '' -- TRUNCATE
                ELSE E'    IF NOT FOUND THEN\n        INSERT INTO vitalcache.vc_touch (tag, ids, head, tail)\n    '
                     || forms[2] || E';\n    END IF;\n' END;
END $outer$;

-- What a row's trigger does about one line of vc_watch. `absent` does not do for rows (OLD and NEW are no relations),
-- so here the column is looked up.
CREATE OR REPLACE FUNCTION vitalcache.vc_trigger_row(watch vitalcache.vc_watch) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $outer$
    SELECT CASE WHEN watch.column_name IS NULL THEN format(
        E'    INSERT INTO vitalcache.vc_touch (tag, ids, head, tail)\n    %s;\n',
        vitalcache.vc_trigger_table(watch, 'row', true))
    ELSE format($f$    IF EXISTS (SELECT FROM pg_catalog.pg_attribute
               WHERE attrelid OPERATOR(pg_catalog.=) TG_RELID AND attname OPERATOR(pg_catalog.=) %L
                 AND NOT attisdropped) THEN
        INSERT INTO vitalcache.vc_touch (tag, ids, head, tail)
    %s;
    END IF;
$f$, watch.column_name, vitalcache.vc_trigger_branch(watch, 'row', true)) END
$outer$;

-- The source of a trigger function. Static SQL: planned once per session, and no row of the application is ever part
-- of a statement's text.
CREATE OR REPLACE FUNCTION vitalcache.vc_trigger_source(relation text, event text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(E'\n#variable_conflict use_column\nBEGIN\n%s    RETURN NULL;\nEND ',
                  CASE event WHEN 'row' THEN (SELECT string_agg(vitalcache.vc_trigger_row(w), ''
                                                                ORDER BY w.table_name, w.subject, w.column_name)
                                              FROM vitalcache.vc_watch AS w WHERE w.relation = $1)
                             ELSE vitalcache.vc_trigger_insert($1, event) END)
$$;

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
                        'vc_here', 'vc_here_replica', 'vc_poll', 'vc_touched', 'vc_tags', 'vc_unmodified',
                        'vc_is_listed',
                        'vc_steady', 'vc_steady_parts', 'vc_state',
                        'vc_begin_epoch', 'vc_resign', 'vc_clean', 'vc_invalidate', 'vc_token', 'vc_beat')
      AND NOT has_function_privilege(role, p.oid, 'EXECUTE')
    ORDER BY 1
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA vitalcache FROM PUBLIC;
INSERT INTO vitalcache.vc_version AS v (version) VALUES (2)
ON CONFLICT (one) DO UPDATE SET version = excluded.version;
