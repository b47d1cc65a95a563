"""psycopg 3 through Sluice: scenario by scenario, found by libpq's environment."""

import threading
from contextlib import ExitStack, contextmanager

import psycopg
from crowd import ROUNDS, SIZE, ZONES, main
from psycopg import errors, sql
from psycopg.rows import dict_row


def connect(**more):
    return psycopg.connect(**more)


@contextmanager
def crowd_of(**more):
    """More clients than there are database connections, all at once."""
    with ExitStack() as stack:
        yield [stack.enter_context(connect(**more)) for _ in range(SIZE)]


def version():
    with connect() as conn:
        assert conn.execute("SELECT current_user").fetchone() == ("app",)
        print(psycopg.__version__)


def settings():
    """Settings as frameworks make them: each client sees its own (PG-51, PG-52, GX-01)."""
    with crowd_of(autocommit=True) as clients:
        for n, conn in enumerate(clients):
            conn.execute(sql.SQL("SET TIME ZONE {}").format(ZONES[n]))
            conn.execute(sql.SQL("SET search_path TO {}, public").format(sql.Identifier(f'it\'s "{n}"')))
            conn.execute("SET statement_timeout = %d" % (10001 + n))
            conn.execute("SELECT set_config('app.name', %s, false)", [f"user {n}"])
        for _ in range(ROUNDS):
            for n, conn in enumerate(clients):
                seen = conn.execute(
                    "SELECT current_setting('TimeZone'), current_setting('search_path'),"
                    " current_setting('statement_timeout'), current_setting('app.name')"
                ).fetchone()
                assert seen == (ZONES[n], f'"it\'s ""{n}""", public', f"{10001 + n}ms", f"user {n}"), seen
                assert conn.info.timezone.key == ZONES[n], conn.info.timezone


def settings_in_transactions():
    """What was rolled back is gone, and SET LOCAL was never there (PG-53, PG-54)."""
    with crowd_of() as clients:
        for n, conn in enumerate(clients):
            conn.execute("SELECT set_config('app.name', %s, false)", [f"kept {n}"])
            conn.commit()
        for n, conn in enumerate(clients):
            conn.execute("SET application_name = 'gone'")
            conn.execute("SET app.name = 'gone'")
            if n % 2:
                conn.rollback()
            else:
                with conn.transaction(force_rollback=True):
                    conn.execute("SET app.name = 'gone too'")
                conn.execute("RESET application_name")
                conn.execute("SET LOCAL app.name = 'local'")
                conn.commit()
        for n, conn in enumerate(clients):
            seen = conn.execute("SELECT current_setting('app.name'), current_setting('application_name')").fetchone()
            assert seen == ("gone" if n % 2 == 0 else f"kept {n}", ""), (n, seen)
            conn.rollback()


def transaction_characteristics():
    """The attributes that become BEGIN's words, and the session's own defaults (PG-56)."""
    levels = list(psycopg.IsolationLevel)
    with crowd_of() as clients:
        for n, conn in enumerate(clients):
            level = levels[n % len(levels)].name.replace("_", " ")
            conn.execute(f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {level}")
            conn.execute("SET default_transaction_read_only = %s" % ("on" if n % 2 else "off"))
            conn.commit()
        for _ in range(ROUNDS):
            for n, conn in enumerate(clients):
                seen = conn.execute(
                    "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')"
                ).fetchone()
                assert seen == (levels[n % len(levels)].name.replace("_", " ").lower(), "on" if n % 2 else "off"), seen
                conn.rollback()


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


def prepared_in_a_crowd():
    """Every client has a statement of the same name, of another text and of other types (PG-80, PG-84, PG-90)."""
    with crowd_of(prepare_threshold=0, autocommit=True) as clients:
        for round_ in range(ROUNDS):
            for n, conn in enumerate(clients):
                seen = conn.execute(f"SELECT {n} + %s, pg_typeof(%s)::text", [round_, True if n % 2 else 1.5]).fetchone()
                assert seen == (n + round_, "boolean" if n % 2 else "double precision"), seen
                assert conn.execute("SELECT %s::text", [f"{n}"]).fetchone() == (f"{n}",)


def prepared_and_evicted():
    """psycopg says DEALLOCATE for what it keeps no longer, and DEALLOCATE ALL after DDL (PG-85)."""
    with crowd_of(prepare_threshold=0, autocommit=True) as clients:
        for n, conn in enumerate(clients):
            conn.prepared_max = 2
            conn.execute(f"CREATE TABLE IF NOT EXISTS app.evicted_{n} (a int)")
        for round_ in range(ROUNDS):
            for n, conn in enumerate(clients):
                for k in range(4):
                    assert conn.execute(f"SELECT {n} * 10 + {k} + %s", [round_]).fetchone() == (n * 10 + k + round_,)
                conn.execute(f"ALTER TABLE app.evicted_{n} ADD column_{round_} int")
                assert len(conn.execute(f"SELECT * FROM app.evicted_{n}").description) == round_ + 2
        for n, conn in enumerate(clients):
            conn.execute(f"DROP TABLE app.evicted_{n}")


def prepared_across_ddl():
    """A result type that changes under a prepared statement is told, and the statement goes on (PG-83)."""
    with connect(prepare_threshold=0, autocommit=True) as conn, connect(autocommit=True) as other:
        other.execute("DROP TABLE IF EXISTS app.changing; CREATE TABLE app.changing (a int)")
        for _ in range(2):
            assert conn.execute("SELECT * FROM app.changing").fetchall() == []
        other.execute("ALTER TABLE app.changing ADD b text")
        try:
            conn.execute("SELECT * FROM app.changing")
        except errors.FeatureNotSupported as error:
            assert "cached plan must not change result type" in str(error)
        assert len(conn.execute("SELECT *, 1 FROM app.changing").description) == 3
        other.execute("DROP TABLE app.changing")


def pipelines_in_a_crowd():
    """Pipelines with prepared statements, and one that fails in the middle, side by side (PG-01, PG-06)."""
    with crowd_of(prepare_threshold=1, autocommit=True) as clients:
        for round_ in range(ROUNDS):
            for n, conn in enumerate(clients):
                with conn.pipeline() as pipe:
                    cursors = [conn.execute(f"SELECT {n}, %s::int", [k]) for k in range(20)]
                    pipe.sync()
                    assert [c.fetchone() for c in cursors] == [(n, k) for k in range(20)]
                try:
                    with conn.pipeline():
                        conn.execute(f"SELECT {n} + %s", [round_])
                        conn.execute("SELECT 1 / %s", [0])
                        conn.execute(f"SELECT {n} - %s", [round_])
                    raise AssertionError("no error")
                except errors.DivisionByZero:
                    pass
                assert conn.execute(f"SELECT {n} + %s", [round_]).fetchone() == (n + round_,)


def cursors_in_a_crowd():
    """Server-side cursors of one name in all clients, read in turns, as many as there are connections (PG-66)."""
    with connect() as one, connect() as two:
        cursors = [conn.cursor("same") for conn in (one, two)]
        for n, cur in enumerate(cursors):
            cur.itersize = 10
            cur.execute(f"SELECT generate_series({n * 1000}, {n * 1000 + 99})")
        for k in range(100):
            for n, cur in enumerate(cursors):
                assert cur.fetchone() == (n * 1000 + k,)


def advisory_locks():
    """A session's lock pins until it is given back; then its connection serves others (PG-67)."""
    with crowd_of(autocommit=True) as clients:
        for n, conn in enumerate(clients):
            assert conn.execute("SELECT pg_try_advisory_lock(%s)", [n]).fetchone() == (True,)
            assert clients[n - 1].execute("SELECT pg_try_advisory_xact_lock(%s)", [n]).fetchone() == (False,)
            assert conn.execute("SELECT pg_advisory_unlock(%s)", [n]).fetchone() == (True,)
        for n, conn in enumerate(clients):
            assert conn.execute("SELECT pg_try_advisory_xact_lock(%s)", [n - 1]).fetchone() == (True,)


def temporary_tables():
    """A temporary table pins until it is dropped (PG-66)."""
    with crowd_of(autocommit=True) as clients:
        for n, conn in enumerate(clients):
            conn.execute("CREATE TEMP TABLE mine (n int)")
            conn.execute("INSERT INTO mine VALUES (%s)", [n])
            assert clients[n - 1].execute("SELECT to_regclass('mine')").fetchone() == (None,)
            assert conn.execute("TABLE mine").fetchall() == [(n,)]
            conn.execute("DROP TABLE mine")


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


main(globals())
