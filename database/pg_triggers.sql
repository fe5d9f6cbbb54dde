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
