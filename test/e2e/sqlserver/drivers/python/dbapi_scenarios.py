"""python-tds or pymssql through Sluice, found by `DB_HOST` and so on: the module's name; scenario by scenario."""

import atexit
import io
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

NAME = sys.argv[1]
SIZE = 6
ROUNDS = 4
TLS = os.environ.get("DB_TLS")
# Certificates are of names.
HOST = "localhost" if os.environ["DB_HOST"] == "127.0.0.1" else os.environ["DB_HOST"]

if NAME == "pymssql":
    # What FreeTDS, on which it stands, is told of TLS it is told by a file.
    with tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False) as conf:
        conf.write("[global]\n")
        if TLS == "disable":
            conf.write("encryption = off\n")
        if TLS in ("verify-full", "trust"):
            conf.write("encryption = require\n")
        if TLS == "verify-full":
            conf.write(f"ca file = {os.environ['DB_CA']}\ncheck certificate hostname = yes\n")
    os.environ["FREETDSCONF"] = conf.name
    atexit.register(os.unlink, conf.name)
    import pymssql as module
else:
    import pytds as module


def connect(**more):
    options = {
        "server": HOST,
        "port": int(os.environ["DB_PORT"]),
        "user": os.environ["DB_USER"],
        "password": os.environ["DB_PASSWORD"],
        "database": os.environ["DB_NAME"],
        # python-tds gives up an attempt after the twelfth part of it.
        "login_timeout": 120,
    }
    if NAME == "pytds" and TLS == "verify-full":
        options["cafile"] = os.environ["DB_CA"]
    return closing(module.connect(**{**options, **more}))


@contextmanager
def crowd_of(**more):
    """More clients than there are database connections, all at once."""
    with ExitStack() as stack:
        yield [stack.enter_context(connect(**more)) for _ in range(SIZE)]


def in_rounds(clients, work):
    """Each does its part at the same time as the others, again and again."""
    with ThreadPoolExecutor(SIZE) as pool:
        for round_ in range(ROUNDS):
            list(pool.map(lambda pair, r=round_: work(pair[1], pair[0], r), enumerate(clients)))


def ask(conn, query, values=None):
    with closing(conn.cursor()) as cur:
        cur.execute(query, values) if values is not None else cur.execute(query)
        return tuple(cur.fetchone()) if cur.description else None


def administer(*statements):
    with connect(autocommit=True) as conn:
        for query in statements:
            ask(conn, query)


def failing(work):
    try:
        work()
    except module.Error:
        return
    raise AssertionError("no error")


@contextmanager
def tables(columns):
    names = [f"sluice_{NAME}_{n}" for n in range(SIZE)]
    administer(*[f"IF OBJECT_ID('{name}') IS NOT NULL DROP TABLE {name}" for name in names])
    administer(*[f"CREATE TABLE {name} ({columns})" for name in names])
    yield names
    administer(*[f"DROP TABLE {name}" for name in names])


def version():
    with connect() as conn:
        assert ask(conn, "SELECT 1") == (1,)
    print(module.__version__)


def settings():
    """SETs on connect, and some for each request (GX-01, TD-23)."""
    with crowd_of(autocommit=True, appname="shop") as clients:
        for n, conn in enumerate(clients):
            ask(conn, f"SET LOCK_TIMEOUT {1000 + n}")
            ask(conn, f"SET DATEFIRST {1 + n}")

        def work(conn, n, round_):
            assert ask(conn, "SELECT @@LOCK_TIMEOUT, @@DATEFIRST, APP_NAME()") == (1000 + n, 1 + n, "shop")
            ask(conn, f"SET QUOTED_IDENTIFIER {'ON' if (n + round_) % 2 else 'OFF'}")
            assert ask(conn, "SELECT @@OPTIONS & 256") == (256 if (n + round_) % 2 else 0,)

        in_rounds(clients, work)


def queries():
    with tables("id int IDENTITY PRIMARY KEY, name nvarchar(50), data varbinary(max)") as names:
        with crowd_of(autocommit=True) as clients:

            def work(conn, n, round_):
                with closing(conn.cursor()) as cur:
                    cur.execute(f"INSERT INTO {names[n]} (name, data) VALUES (%s, 0x0102)", (f"ü{round_}",))
                    cur.executemany(f"INSERT INTO {names[n]} (name) VALUES (%s)", [("a",), ("b",)])
                    cur.execute(f"SELECT name, data FROM {names[n]} WHERE name = %s", (f"ü{round_}",))
                    assert [tuple(row) for row in cur.fetchall()] == [(f"ü{round_}", b"\x01\x02")]
                    cur.execute("SELECT 1; SELECT 2")
                    assert cur.fetchone()[0] == 1
                    assert cur.nextset()
                    assert cur.fetchone()[0] == 2
                failing(lambda: ask(conn, "SELECT * FROM sluice_nowhere"))
                assert ask(conn, f"SELECT COUNT(*) FROM {names[n]}") == (3 * (round_ + 1),)

            in_rounds(clients, work)


def transactions():
    with tables("id int PRIMARY KEY") as names:
        with crowd_of(autocommit=True) as clients:

            def work(conn, n, round_):
                for ending in ("ROLLBACK", "COMMIT"):
                    ask(conn, "BEGIN TRANSACTION")
                    ask(conn, f"INSERT INTO {names[n]} VALUES ({round_})")
                    failing(lambda: ask(conn, f"INSERT INTO {names[n]} VALUES ({round_})"))
                    ask(conn, ending)
                assert ask(conn, f"SELECT COUNT(*), @@TRANCOUNT FROM {names[n]}") == (round_ + 1, 0)

            in_rounds(clients, work)


def autocommit_off():
    """Both begin a transaction at once, and the next one with the end of the one before: nobody can share a connection."""
    with tables("id int PRIMARY KEY") as names, connect() as first, connect() as second:
        for round_ in range(ROUNDS):
            for n, conn in enumerate((first, second)):
                assert ask(conn, "SELECT @@TRANCOUNT") == (1,)
                for is_kept in (False, True):
                    ask(conn, f"INSERT INTO {names[n]} VALUES ({round_})")
                    conn.commit() if is_kept else conn.rollback()
                assert ask(conn, f"SELECT COUNT(*) FROM {names[n]}") == (round_ + 1,)
        first.rollback()
        second.rollback()


def procedures():
    name = f"sluice_{NAME}_twice"
    # pymssql gives parameters back before it reads rows, and then they have not come.
    rows = "SELECT @a AS a;" if NAME == "pytds" else ""
    administer(
        f"IF OBJECT_ID('{name}') IS NOT NULL DROP PROCEDURE {name}",
        f"CREATE PROCEDURE {name} @b int OUTPUT, @a int AS BEGIN {rows} SET @b = @a * 2; RETURN 7; END",
    )
    with crowd_of(autocommit=True) as clients:

        def work(conn, n, _):
            with closing(conn.cursor()) as cur:
                out = module.output(param_type=int) if NAME == "pytds" else module.output(int)
                given = cur.callproc(name, (out, n))
                if rows:
                    assert cur.fetchone()[0] == n
                    while cur.nextset():
                        pass
                    given = cur.get_proc_outputs()
                assert given[0] == 2 * n, given

        in_rounds(clients, work)
    administer(f"DROP PROCEDURE {name}")


def bulk_loads():
    with tables("id int NOT NULL, name nvarchar(50)") as names:
        with crowd_of(autocommit=True) as clients:

            def work(conn, n, round_):
                with closing(conn.cursor()) as cur:
                    text = "".join(f"{id_}\trow {id_}\n" for id_ in range(100))
                    cur.copy_to(io.StringIO(text), names[n], schema="dbo", columns=["id", "name"])
                assert ask(conn, f"SELECT COUNT(*) FROM {names[n]}") == (100 * (round_ + 1),)

            in_rounds(clients, work)


def temporary_tables():
    with crowd_of(autocommit=True) as clients:

        def work(conn, n, _):
            ask(conn, f"CREATE TABLE #mine (n int); INSERT INTO #mine VALUES ({n})")
            assert ask(conn, "SELECT n FROM #mine") == (n,)
            ask(conn, "DROP TABLE #mine")

        in_rounds(clients, work)


def versions():
    """Older versions of the protocol, where the driver can be told."""
    for tds in ("7.1", "7.2", "7.3", "7.4"):
        if NAME == "pytds" and tds == "7.1" and os.environ["DB_PRODUCT"] == "Babelfish":
            continue  # It takes no long texts of that version.
        if NAME == "pymssql" and tds == "7.4":
            continue  # It knows of no newer one than 7.3.
        given = {"7.1": 0x71000001, "7.2": 0x72090002, "7.3": 0x730B0003, "7.4": 0x74000004}[tds]
        with connect(tds_version=given if NAME == "pytds" else tds) as conn:
            assert ask(conn, "SELECT %s, %s", ("ü" * 300, 7)) == ("ü" * 300, 7)


if __name__ == "__main__":
    for line in sys.stdin:
        name = line.strip()
        globals()[name]()
        print(name, flush=True)
