"""psycopg2 through Sluice: scenario by scenario, found by libpq's environment."""

import io
import select
from contextlib import ExitStack, closing, contextmanager

import psycopg2
import psycopg2.extensions
import psycopg2.extras
import psycopg2.pool
from crowd import ROUNDS, SIZE, ZONES, main
from psycopg2 import errors


def connect(**more):
    return closing(psycopg2.connect("", **more))


@contextmanager
def crowd_of(**more):
    """More clients than there are database connections, all at once."""
    with ExitStack() as stack:
        yield [stack.enter_context(connect(**more)) for _ in range(SIZE)]


def ask(conn, query, values=None):
    with conn.cursor() as cur:
        cur.execute(query, values)
        return cur.fetchone() if cur.description else None


def version():
    with connect() as conn:
        assert ask(conn, "SELECT current_user") == ("app",)
        print(psycopg2.__version__.split()[0])


def settings():
    """set_session outside transactions, an encoding of one's own, search paths and zones (PG-52, PG-56, GX-01)."""
    levels = ["read committed", "repeatable read", "serializable"]
    encodings = ["LATIN1", "UTF8"]
    with crowd_of() as clients:
        for n, conn in enumerate(clients):
            conn.set_session(isolation_level=levels[n % 3], readonly=n % 2 == 0, autocommit=True)
            conn.set_client_encoding(encodings[n % 2])
            ask(conn, "SET TIME ZONE %s", [ZONES[n]])
            ask(conn, "SET search_path = app, %s", [f"own {n}"])
        for _ in range(ROUNDS):
            for n, conn in enumerate(clients):
                seen = ask(
                    conn,
                    "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'),"
                    " current_setting('TimeZone'), current_setting('search_path'), 'é'",
                )
                expected = (levels[n % 3], ["on", "off"][n % 2], ZONES[n], f'app, "own {n}"', "é")
                assert seen == expected, (seen, expected)
                assert conn.get_parameter_status("TimeZone") == ZONES[n]


def given_back():
    """A pool's connection that is cleaned with reset() on its way back: RESET ALL and the rest (PG-63, PG-65)."""
    pool = psycopg2.pool.SimpleConnectionPool(SIZE, SIZE, "", application_name="pooled")
    for _ in range(ROUNDS):
        clients = [pool.getconn() for _ in range(SIZE)]
        for n, conn in enumerate(clients):
            assert ask(conn, "SELECT current_setting('application_name'), current_setting('app.name', true)") in (
                ("pooled", None),
                ("pooled", ""),
            )
            ask(conn, "SET application_name = %s", [f"user {n}"])
            ask(conn, "SET app.name = %s", [f"user {n}"])
            conn.commit()
        for n, conn in enumerate(clients):
            assert ask(conn, "SHOW application_name") == (f"user {n}",)
            assert ask(conn, "SHOW app.name") == (f"user {n}",)
            conn.reset()
            pool.putconn(conn)
    pool.closeall()


def prepared_in_sql():
    """psycopg 2 has no prepared statements of its own: people write PREPARE, EXECUTE and DEALLOCATE (PG-85, PG-92)."""
    with crowd_of() as clients:
        for n, conn in enumerate(clients):
            conn.autocommit = n % 2 == 0
            ask(conn, f"PREPARE plan (int) AS SELECT {n} * 100 + $1")
            conn.commit()
        for round_ in range(ROUNDS):
            for n, conn in enumerate(clients):
                assert ask(conn, "EXECUTE plan (%s)", [round_]) == (n * 100 + round_,)
                conn.commit()
        for n, conn in enumerate(clients):
            ask(conn, "DEALLOCATE plan")
            conn.commit()
            try:
                ask(conn, "EXECUTE plan (1)")
                raise AssertionError("no error")
            except errors.InvalidSqlStatementName:
                conn.rollback()


def transactions_in_a_crowd():
    """Savepoints and failures; money is moved and none is lost."""
    with crowd_of() as clients:
        ask(clients[0], "DROP TABLE IF EXISTS app.purse; CREATE TABLE app.purse (n int PRIMARY KEY, money int)")
        ask(clients[0], "INSERT INTO app.purse SELECT g, 100 FROM generate_series(0, %s) g", [SIZE - 1])
        clients[0].commit()
        for round_ in range(ROUNDS):
            for n, conn in enumerate(clients):
                ask(conn, "UPDATE app.purse SET money = money - 1 WHERE n = %s", [n])
                ask(conn, "SAVEPOINT s")
                try:
                    ask(conn, "INSERT INTO app.purse VALUES (%s, 5)", [n])
                    raise AssertionError("no error")
                except errors.UniqueViolation:
                    ask(conn, "ROLLBACK TO SAVEPOINT s")
                ask(conn, "UPDATE app.purse SET money = money + 1 WHERE n = %s", [(n + round_) % SIZE])
                if n % 3 == 0:
                    conn.rollback()
                else:
                    conn.commit()
        assert ask(clients[0], "SELECT sum(money) FROM app.purse") == (100 * SIZE,)
        ask(clients[0], "DROP TABLE app.purse")
        clients[0].commit()


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


main(globals())
