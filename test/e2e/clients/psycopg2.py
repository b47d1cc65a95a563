"""psycopg2 through Sluice: one scenario a run, found by libpq's environment."""

import io
import select
import sys
from contextlib import closing

# This file has the package's name, and its directory is searched first.
sys.path.pop(0)
import psycopg2  # noqa: E402
import psycopg2.extensions  # noqa: E402
import psycopg2.extras  # noqa: E402
from psycopg2 import errors  # noqa: E402


def connect(**more):
    return closing(psycopg2.connect("", **more))


def copy_expert():
    with connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TEMP TABLE copied (n int PRIMARY KEY, t text)")
        cur.copy_expert("COPY copied FROM STDIN CSV", io.StringIO("".join(f'{n},"t,{n}"\n' for n in range(5000))))
        out = io.StringIO()
        cur.copy_expert("COPY (SELECT * FROM copied ORDER BY n LIMIT 2) TO STDOUT CSV", out)
        assert out.getvalue() == '0,"t,0"\n1,"t,1"\n'
        conn.commit()
        try:
            cur.copy_expert("COPY copied FROM STDIN CSV", io.StringIO("9999,x\n1,again\n" + "5,y\n" * 100000))
            raise AssertionError("no error")
        except errors.UniqueViolation:
            conn.rollback()
        cur.execute("SELECT count(*) FROM copied")
        assert cur.fetchone() == (5000,)


def named_cursor():
    with connect() as conn:
        with conn.cursor("named") as cur:
            cur.itersize = 64
            cur.execute("SELECT generate_series(1, 1000)")
            assert sum(n for (n,) in cur) == 500500
        with conn.cursor("scrolled", scrollable=True, withhold=True) as cur:
            cur.execute("SELECT generate_series(1, 10)")
            conn.commit()
            cur.scroll(4)
            assert cur.fetchone() == (5,)


def autocommit():
    with connect() as conn:
        conn.autocommit = True
        with conn.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cur:
            cur.execute("SELECT %s AS n, %s AS t, %s AS a", (1, "it's", [1, 2]))
            assert dict(cur.fetchone()) == {"n": 1, "t": "it's", "a": [1, 2]}
            psycopg2.extras.execute_values(cur, "SELECT * FROM (VALUES %s) v", [(1,), (2,)])
            assert [row["column1"] for row in cur.fetchall()] == [1, 2]
        conn.autocommit = False
        conn.set_session(isolation_level="SERIALIZABLE", readonly=True)
        with conn.cursor() as cur:
            cur.execute("SHOW transaction_isolation")
            assert cur.fetchone() == ("serializable",)
            try:
                cur.execute("CREATE TABLE no (n int)")
                raise AssertionError("no error")
            except errors.ReadOnlySqlTransaction:
                conn.rollback()


def errors_told():
    with connect() as conn, conn.cursor() as cur:
        try:
            cur.execute("SELECT 1/0")
        except errors.DivisionByZero as error:
            assert error.pgcode == "22012" and "division by zero" in error.pgerror
        try:
            cur.execute("SELECT 1")
            raise AssertionError("no error")
        except errors.InFailedSqlTransaction:
            conn.rollback()
        cur.execute("DO $$ BEGIN RAISE NOTICE 'heard'; END $$")
        assert conn.notices == ["NOTICE:  heard\n"], conn.notices


def notify():
    with connect() as conn, connect() as other:
        for one in (conn, other):
            one.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
        conn.cursor().execute("LISTEN news")
        other.cursor().execute("NOTIFY news, 'hello'")
        assert select.select([conn], [], [], 10)[0]
        conn.poll()
        assert [(n.channel, n.payload) for n in conn.notifies] == [("news", "hello")]


def encoding():
    with connect(client_encoding="LATIN1") as conn, conn.cursor() as cur:
        cur.execute("SELECT 'é', length('é')")
        assert cur.fetchone() == ("é", 1)
        conn.set_client_encoding("UTF8")
        cur.execute("SELECT 'é€'")
        assert cur.fetchone() == ("é€",)


globals()[sys.argv[1]]()
