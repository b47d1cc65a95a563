"""psycopg 3 through Sluice: one scenario a run, found by libpq's environment."""

import sys
import threading

import psycopg
from psycopg import errors, sql
from psycopg.rows import dict_row


def connect(**more):
    return psycopg.connect(**more)


def pipeline():
    with connect(autocommit=True) as conn:
        with conn.pipeline() as pipe:
            cursors = [conn.execute("SELECT %s::int", [n]) for n in range(200)]
            pipe.sync()
            assert [c.fetchone()[0] for c in cursors] == list(range(200))
        try:
            with conn.pipeline():
                conn.execute("SELECT 1")
                conn.execute("SELECT 1/0")
                conn.execute("SELECT 2")
            raise AssertionError("no error")
        except errors.DivisionByZero:
            pass
        assert conn.execute("SELECT 3").fetchone() == (3,)


def server_cursor():
    with connect() as conn:
        with conn.cursor("named") as cur:
            cur.itersize = 50
            cur.execute("SELECT generate_series(1, 1000)")
            assert sum(n for (n,) in cur) == 500500
        with conn.cursor("scrolled", scrollable=True) as cur:
            cur.execute("SELECT generate_series(1, 10)")
            cur.scroll(5)
            assert cur.fetchone() == (6,)
            cur.scroll(0, mode="absolute")
            assert len(cur.fetchall()) == 10


def held_cursor():
    with connect() as conn:
        with conn.cursor("held", withhold=True) as cur:
            cur.execute("SELECT generate_series(1, 10)")
            conn.commit()
            assert len(cur.fetchall()) == 10


def copy():
    with connect() as conn:
        conn.execute("CREATE TEMP TABLE copied (n int, t text)")
        with conn.cursor() as cur:
            with cur.copy("COPY copied FROM STDIN") as into:
                for n in range(5000):
                    into.write_row((n, None if n % 2 else f"t\t{n}"))
            with cur.copy("COPY copied (n) FROM STDIN (FORMAT binary)") as into:
                into.set_types(["int4"])
                for n in range(100):
                    into.write_row((n,))
            assert cur.execute("SELECT count(*), count(t) FROM copied").fetchone() == (5100, 2500)
            with cur.copy("COPY (SELECT n, t FROM copied WHERE t IS NOT NULL ORDER BY n LIMIT 2) TO STDOUT") as out:
                assert list(out.rows()) == [("0", "t\t0"), ("2", "t\t2")]
        conn.commit()
        for fail in (lambda into: into.write(b"x\n"), lambda into: 1 / 0):
            try:
                with conn.cursor() as cur, cur.copy("COPY copied (n) FROM STDIN") as into:
                    fail(into)
                raise AssertionError("no error")
            except (errors.InvalidTextRepresentation, errors.QueryCanceled):  # psycopg tells its own failure so.
                conn.rollback()
        assert conn.execute("SELECT count(*) FROM copied").fetchone() == (5100,)


def binary():
    with connect() as conn:
        row = conn.cursor(binary=True).execute(
            "SELECT %b::int, %b::text, %b::bytea, %b::float8, %b::timestamp, %b::int[]",
            [1, "ü", b"\x00\xff", 1.5, __import__("datetime").datetime(2020, 2, 29), [1, 2, 3]],
        ).fetchone()
        assert row[:4] == (1, "ü", b"\x00\xff", 1.5) and row[5] == [1, 2, 3], row


def prepared():
    with connect(prepare_threshold=0, autocommit=True) as conn:
        for n in range(10):
            assert conn.execute("SELECT %s::int + 1", [n]).fetchone() == (n + 1,)
        names = conn.execute("SELECT count(*) FROM pg_prepared_statements", prepare=False).fetchone()[0]
        assert names >= 1, names
    with connect(autocommit=True) as conn:
        for n in range(12):  # The threshold of five is passed on the way.
            assert conn.execute("SELECT %s::int + 2", [n]).fetchone() == (n + 2,)
    with connect(prepare_threshold=None, autocommit=True) as conn:
        for n in range(12):
            assert conn.execute("SELECT %s::int + 3", [n]).fetchone() == (n + 3,)


def cancel():
    with connect(autocommit=True) as conn, connect(autocommit=True) as other:
        def stop():
            while not other.execute(
                "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(59)'"
            ).fetchone():
                pass
            conn.cancel()

        thread = threading.Thread(target=stop)
        thread.start()
        try:
            conn.execute("SELECT pg_sleep(59)")
            raise AssertionError("not cancelled")
        except errors.QueryCanceled:
            pass
        thread.join()
        assert conn.execute("SELECT 1").fetchone() == (1,)


def notify():
    with connect(autocommit=True) as conn, connect(autocommit=True) as other:
        conn.execute("LISTEN news")
        other.execute("NOTIFY news, 'hello'")
        other.execute("SELECT pg_notify('news', 'again')")
        heard = conn.notifies()
        assert [next(heard).payload, next(heard).payload] == ["hello", "again"]


def transactions():
    with connect() as conn:
        with conn.transaction():
            conn.execute("CREATE TEMP TABLE t (n int)")
            try:
                with conn.transaction("inner"):
                    conn.execute("INSERT INTO t VALUES (1)")
                    conn.execute("SELECT nothing")
            except errors.UndefinedColumn as error:
                assert error.diag.statement_position == "8", error.diag.statement_position
            conn.execute("INSERT INTO t VALUES (2)")
        conn.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        conn.read_only = True
        with conn.cursor(row_factory=dict_row) as cur:
            assert cur.execute("SELECT n FROM t").fetchall() == [{"n": 2}]
            assert cur.execute("SHOW transaction_isolation").fetchone() == {"transaction_isolation": "serializable"}
        conn.rollback()
        conn.read_only = False
        conn.cursor().executemany("INSERT INTO t VALUES (%s)", [(n,) for n in range(100)])
        conn.commit()
        assert conn.execute("SELECT count(*) FROM t").fetchone() == (101,)


def crowd():
    def work(n):
        for _ in range(10):
            with connect() as conn:
                row = conn.execute("SELECT %s::int, pg_advisory_xact_lock(5)::text", [n]).fetchone()
                conn.execute(sql.SQL("SELECT {}").format(n))
                done.append(row[0] == n)

    done = []
    threads = [threading.Thread(target=work, args=[n]) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [True] * 100, done


globals()[sys.argv[1]]()
