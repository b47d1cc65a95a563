"""MariaDB Connector/ODBC, by pyodbc and unixODBC, through Sluice: scenario by scenario, found by `DB_HOST` and so on."""

import os
import sys
from contextlib import ExitStack, closing, contextmanager

import pyodbc

# The driver manager would keep connections open when they are closed.
pyodbc.pooling = False
ZONES = ["+00:00", "+09:00", "-05:00", "+01:30", "+05:45", "+10:00"]
SIZE = len(ZONES)
ROUNDS = 4


def connect(autocommit=False, **more):
    words = {
        "Driver": "MariaDB Unicode",
        "Server": os.environ["DB_HOST"],
        "Port": os.environ["DB_PORT"],
        "Database": os.environ["DB_NAME"],
        "Uid": os.environ["DB_USER"],
        "Pwd": os.environ["DB_PASSWORD"],
        **more,
    }
    if os.environ.get("DB_TLS") == "verify-full":
        words |= {"SslCa": os.environ["DB_CA"], "SslVerify": "1", "ForceTls": "1"}
    text = ";".join("%s=%s" % word for word in words.items())
    return closing(pyodbc.connect(text, autocommit=autocommit))


@contextmanager
def crowd_of(**more):
    """More clients than there are database connections, all at once."""
    with ExitStack() as stack:
        yield [stack.enter_context(connect(**more)) for _ in range(SIZE)]


def ask(conn, query, *values):
    return tuple(conn.execute(query, *values).fetchone())


def administer(*statements):
    with connect(autocommit=True) as conn:
        for query in statements:
            conn.execute(query)


def version():
    with connect() as conn:
        (name,) = ask(conn, "SELECT CURRENT_USER()")
        assert name.startswith("app@"), name
        print(".".join(str(int(part)) for part in conn.getinfo(pyodbc.SQL_DRIVER_VER).split(".")))


def connecting():
    """What it says on each connection, a statement of the user's own, and settings (GX-01, MY-45)."""
    with crowd_of(autocommit=True, InitStmt="SET SESSION wait_timeout = 1234") as clients:
        for n, conn in enumerate(clients):
            conn.execute("SET time_zone = ?", ZONES[n])
            conn.execute(f"SET @tenant = {n}")
        for _ in range(ROUNDS):
            for n, conn in enumerate(clients):
                seen = ask(conn, "SELECT @@time_zone, @@wait_timeout, CAST(@tenant AS SIGNED), CAST(? AS SIGNED)", n)
                assert seen == (ZONES[n], 1234, n, n), seen


def prepared():
    """Statements of the protocol's, with types that change (MY-60, MY-62)."""
    with crowd_of(autocommit=True) as clients:
        for round_ in range(ROUNDS):
            for n, conn in enumerate(clients):
                value = n if round_ % 2 == 0 else f"é {n}"
                assert ask(conn, f"SELECT {n}, CONCAT(?)", value) == (n, str(value))
                try:
                    ask(conn, "SELECT nothing + ?", 1)
                    raise AssertionError("no error")
                except pyodbc.ProgrammingError as error:
                    assert error.args[0] == "42S22", error


def transactions():
    """Autocommit off, isolation levels, failures (MY-41, MY-43)."""
    administer("CREATE TABLE stock (n INT PRIMARY KEY, kept INT)")
    with crowd_of() as clients:
        for round_ in range(ROUNDS):
            for n, conn in enumerate(clients):
                conn.set_attr(pyodbc.SQL_ATTR_TXN_ISOLATION, pyodbc.SQL_TXN_SERIALIZABLE)
                conn.execute("REPLACE INTO stock VALUES (?, ?)", n, round_)
                try:
                    conn.execute("INSERT INTO stock VALUES (?, 0)", n)
                    raise AssertionError("no error")
                except pyodbc.IntegrityError as error:
                    assert error.args[0] == "23000", error
                if round_ % 2 == 0:
                    conn.commit()
                else:
                    conn.rollback()
        for conn in clients:
            assert ask(conn, "SELECT COUNT(*), MIN(kept) FROM stock") == (SIZE, ROUNDS - 2)
            conn.rollback()
    administer("DROP TABLE stock")


def results():
    """Several results of a procedure (MY-08), and what tools ask of the catalogue."""
    administer("CREATE PROCEDURE both_of(n INT) BEGIN SELECT n; SELECT n + 1; END")
    with crowd_of(autocommit=True) as clients:
        for n, conn in enumerate(clients):
            with closing(conn.cursor()) as cur:
                cur.execute("{CALL both_of(?)}", n)
                assert tuple(cur.fetchone()) == (n,)
                assert cur.nextset()
                assert [int(x) for x in cur.fetchone()] == [n + 1]
            with closing(conn.cursor()) as cur:
                assert cur.tables(table="TABLES", catalog="information_schema").fetchone()
    administer("DROP PROCEDURE both_of")


for line in sys.stdin:
    name = line.strip()
    globals()[name]()
    print(name, flush=True)
