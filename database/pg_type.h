/* The object ids of PostgreSQL's own types that are not passed on as plain text. They never change
 * (src/include/catalog/pg_type.dat). */
#ifndef DATABASE_PG_TYPE_H
#define DATABASE_PG_TYPE_H

enum pg_type {
        PG_TYPE_BOOL = 16,
        PG_TYPE_BYTEA = 17,
        PG_TYPE_NAME = 19,
        PG_TYPE_INT8 = 20,
        PG_TYPE_INT2 = 21,
        PG_TYPE_INT4 = 23,
        PG_TYPE_TEXT = 25,
        PG_TYPE_OID = 26,
        PG_TYPE_JSON = 114,
        PG_TYPE_FLOAT4 = 700,
        PG_TYPE_FLOAT8 = 701,
        PG_TYPE_BPCHAR = 1042,
        PG_TYPE_VARCHAR = 1043,
        PG_TYPE_DATE = 1082,
        PG_TYPE_TIMESTAMP = 1114,
        PG_TYPE_TIMESTAMPTZ = 1184,
        PG_TYPE_NUMERIC = 1700,
        PG_TYPE_UUID = 2950,
        PG_TYPE_JSONB = 3802
};

#endif
