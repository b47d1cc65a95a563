"""psqlODBC, by pyodbc and unixODBC, through Sluice: scenario by scenario, found by libpq's environment."""

import os
from contextlib import ExitStack, closing, contextmanager

import pyodbc
from crowd import ROUNDS, SIZE, ZONES, main

# The driver manager would keep connections open when they are closed.
pyodbc.pooling = False


def connect(autocommit=False, **more):
    words = {
        "Driver": "PostgreSQL Unicode",
        "Server": os.environ["PGHOST"],
        "Port": os.environ["PGPORT"],
        "Database": os.environ["PGDATABASE"],
        "Uid": os.environ["PGUSER"],
        "Pwd": os.environ["PGPASSWORD"],
        **more,
    }
    if "PGSSLMODE" in os.environ:
        words["SSLmode"] = os.environ["PGSSLMODE"]
    text = ";".join("%s=%s" % word for word in words.items())
    return closing(pyodbc.connect(text, autocommit=autocommit))


@contextmanager
def crowd_of(**more):
    """More clients than there are database connections, all at once."""
    with ExitStack() as stack:
        yield [stack.enter_context(connect(**more)) for _ in range(SIZE)]


def ask(conn, query, *values):
    return tuple(conn.execute(query, *values).fetchone())


def version():
    with connect() as conn:
        assert ask(conn, "SELECT current_user") == ("app",)
        # "13.02.0000" is what others call 13.2.
        print(conn.getinfo(pyodbc.SQL_DRIVER_VER))


def connecting():
    """Each connection begins with `SET DateStyle = 'ISO'; SET extra_float_digits = 2; …` in one query (PG-59)."""
    with crowd_of(autocommit=True) as clients:
        for n, conn in enumerate(clients):
            conn.execute(f"SET TIME ZONE '{ZONES[n]}'")
        for round_ in range(ROUNDS):
            for n, conn in enumerate(clients):
                seen = ask(conn, "SELECT current_setting('DateStyle'), current_setting('extra_float_digits'), ?::int", n)
                assert seen == ("ISO, MDY", "2", n), seen
                assert ask(conn, "SELECT current_setting('TimeZone'), ?::float8", 0.1) == (ZONES[n], 0.1)


def isolation_levels():
    """SQLSetConnectAttr(SQL_ATTR_TXN_ISOLATION) is a SET SESSION CHARACTERISTICS (PG-56)."""
    levels = [
        (pyodbc.SQL_TXN_READ_COMMITTED, "read committed"),
        (pyodbc.SQL_TXN_REPEATABLE_READ, "repeatable read"),
        (pyodbc.SQL_TXN_SERIALIZABLE, "serializable"),
    ]
    with crowd_of() as clients:
        for n, conn in enumerate(clients):
            conn.set_attr(pyodbc.SQL_ATTR_TXN_ISOLATION, levels[n % 3][0])
        for _ in range(ROUNDS):
            for n, conn in enumerate(clients):
                assert ask(conn, "SELECT current_setting('transaction_isolation')") == (levels[n % 3][1],)
                conn.commit()


def prepared():
    """`_PLAN…` statements of the same name in all clients, run again and given up by DEALLOCATE (PG-84, PG-85)."""
    with crowd_of() as clients, ExitStack() as stack:
        cursors = [stack.enter_context(closing(conn.cursor())) for conn in clients]
        for round_ in range(ROUNDS):
            for n, cursor in enumerate(cursors):
                assert tuple(cursor.execute(f"SELECT {n}, ? + 1, ?::text", round_, f"ü{n}").fetchone()) == (
                    n,
                    round_ + 1,
                    f"ü{n}",
                )
                cursor.fetchall()
                cursor.connection.commit()
        for n, conn in enumerate(clients):
            assert ask(conn, f"SELECT {n} * 2 + ?", 1) == (n * 2 + 1,)
            conn.rollback()


def errors_in_transactions():
    """A savepoint around each statement (`Protocol=7.4-2`): an error does not end the transaction."""
    with crowd_of(Protocol="7.4-2") as clients:
        clients[0].execute("DROP TABLE IF EXISTS app.marks; CREATE TABLE app.marks (n int PRIMARY KEY)")
        clients[0].commit()
        for n, conn in enumerate(clients):
            conn.execute("INSERT INTO app.marks VALUES (?)", n)
            try:
                conn.execute("INSERT INTO app.marks VALUES (?)", n)
                raise AssertionError("no error")
            except pyodbc.IntegrityError as error:
                assert error.args[0] == "23505", error.args
            assert ask(conn, "SELECT count(*) FROM app.marks WHERE n = ?", n) == (1,)
            conn.commit()
        assert ask(clients[0], "SELECT count(*) FROM app.marks") == (SIZE,)
        clients[0].execute("DROP TABLE app.marks")
        clients[0].commit()


def catalogue():
    """Tables, columns, types and keys, asked by statements of the driver's own."""
    with connect(autocommit=True) as conn:
        conn.execute("DROP TABLE IF EXISTS app.described; CREATE TABLE app.described (n serial PRIMARY KEY, t varchar(9))")
        with closing(conn.cursor()) as cursor:
            assert [row.table_name for row in cursor.tables(table="described", schema="app")] == ["described"]
            assert [row.column_name for row in cursor.columns(table="described", schema="app")] == ["n", "t"]
            assert [row.column_name for row in cursor.primaryKeys(table="described", schema="app")] == ["n"]
            cursor.executemany("INSERT INTO app.described (t) VALUES (?)", [(f"t{n}",) for n in range(50)])
            assert ask(conn, "SELECT count(*), max(n) FROM app.described") == (50, 50)
        conn.execute("DROP TABLE app.described")


def fetched_in_pieces():
    """`UseDeclareFetch=1`: a cursor WITH HOLD for each SELECT, read ten rows at a time, and closed late (PG-66)."""
    with connect(UseDeclareFetch="1", Fetch="10") as one, connect(UseDeclareFetch="1", Fetch="10") as two:
        for _ in range(ROUNDS):
            cursors = [c.execute(f"SELECT generate_series({n}, {n} + 49)") for n, c in enumerate((one, two))]
            for k in range(50):
                for n, cursor in enumerate(cursors):
                    assert tuple(cursor.fetchone()) == (n + k,)
            for conn in (one, two):
                conn.commit()


def fetched_outside_transactions():
    """The same without a transaction of the client's: the driver makes one of its own for as long as it reads."""
    with crowd_of(autocommit=True, UseDeclareFetch="1", Fetch="10") as clients:
        for n, conn in enumerate(clients):
            with closing(conn.execute(f"SELECT generate_series({n}, {n} + 49)")) as cursor:
                for k in range(25):
                    assert tuple(cursor.fetchone()) == (n + k,)
            assert ask(clients[n - 1], "SELECT 1") == (1,)


main(globals())
