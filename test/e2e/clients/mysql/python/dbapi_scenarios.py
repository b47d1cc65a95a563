"""PyMySQL or mysqlclient through Sluice, found by `DB_HOST` and so on: the module's name, then scenarios."""

import importlib
import os
import sys
from contextlib import ExitStack, closing, contextmanager

module = importlib.import_module(sys.argv[1])
cursors = importlib.import_module(f"{sys.argv[1]}.cursors")
is_mariadb = os.environ["DB_FLAVOUR"] == "mariadb"

# One for each client of a crowd: no two alike, and more than there are connections.
ZONES = ["+00:00", "+09:00", "-05:00", "+01:30", "+05:45", "+10:00", "-03:00", "+12:00"]
SIZE = len(ZONES)
ROUNDS = 4
DUPLICATE = 1062


def connect(**more):
    options = {
        "host": os.environ["DB_HOST"],
        "port": int(os.environ["DB_PORT"]),
        "user": os.environ["DB_USER"],
        "password": os.environ["DB_PASSWORD"],
        "database": os.environ["DB_NAME"],
    }
    if os.environ.get("DB_TLS") == "verify-full":
        options["ssl"] = {"ca": os.environ["DB_CA"]}
    return closing(module.connect(**{**options, **more}))


@contextmanager
def crowd_of(**more):
    """More clients than there are database connections, all at once."""
    with ExitStack() as stack:
        yield [stack.enter_context(connect(**more)) for _ in range(SIZE)]


def ask(conn, query, values=None):
    with conn.cursor() as cur:
        cur.execute(query, values)
        return cur.fetchone() if cur.description else None


def administer(*statements):
    with connect(autocommit=True) as conn:
        for query in statements:
            ask(conn, query)


def failing(code, work):
    try:
        work()
    except module.MySQLError as error:
        assert error.args[0] == code, error
    else:
        raise AssertionError("no error")


def version():
    with connect() as conn:
        (name,) = ask(conn, "SELECT CURRENT_USER()")
        assert name.startswith("app@"), name
        print(module.__version__)


def settings():
    """Both switch autocommit off at once; SETs on connect, and some for each request (GX-01, MY-41, MY-45, MY-57)."""
    isolation = "tx_isolation" if is_mariadb else "transaction_isolation"
    levels = ["READ COMMITTED", "SERIALIZABLE", "REPEATABLE READ", "READ UNCOMMITTED"]
    with crowd_of(charset="utf8mb4") as clients:
        for n, conn in enumerate(clients):
            ask(conn, "SET SESSION sql_mode = %s", ["TRADITIONAL" if n % 2 else ""])
            ask(conn, "SET time_zone = %s", [ZONES[n]])
            ask(conn, f"SET SESSION TRANSACTION ISOLATION LEVEL {levels[n % 4]}")
            ask(conn, "SET @tenant = %s, innodb_lock_wait_timeout = %s", [n, 20 + n])
        for round_ in range(ROUNDS):
            for n, conn in enumerate(clients):
                ask(conn, "SET sql_select_limit = %s", [round_ + 1])
                seen = ask(
                    conn,
                    f"SELECT @@sql_mode LIKE '%%TRADITIONAL%%', @@time_zone, @@{isolation}, @tenant,"
                    " @@innodb_lock_wait_timeout, @@autocommit, @@sql_select_limit, 'é'",
                )
                level = levels[n % 4].replace(" ", "-")
                assert seen == (n % 2, ZONES[n], level, n, 20 + n, 0, round_ + 1, "é"), (n, seen)
                conn.rollback()


def init_command():
    """A statement of the user's own at sign-in, autocommit, another character set."""
    with ExitStack() as stack:
        clients = [
            stack.enter_context(
                connect(init_command=f"SET SESSION wait_timeout = {1000 + n}", autocommit=n % 2 == 0, charset="latin1")
            )
            for n in range(SIZE)
        ]
        for _ in range(ROUNDS):
            for n, conn in enumerate(clients):
                seen = ask(conn, "SELECT @@wait_timeout, @@autocommit, @@character_set_client, 'é', LENGTH('é')")
                assert seen == (1000 + n, 1 - n % 2, "latin1", "é", 1), (n, seen)
                conn.rollback()


def transactions():
    """Money is moved and none is lost; savepoints, failures, a transaction that begins by a SELECT (MY-41, MY-44)."""
    administer("CREATE TABLE purse (n INT PRIMARY KEY, money INT)")
    with crowd_of() as clients:
        with clients[0].cursor() as cur:
            cur.executemany("INSERT INTO purse VALUES (%s, %s)", [(n, 100) for n in range(SIZE)])
        clients[0].commit()
        for round_ in range(ROUNDS):
            for n, conn in enumerate(clients):
                assert ask(conn, "SELECT COUNT(*) FROM purse") == (SIZE,)
                ask(conn, "UPDATE purse SET money = money - 1 WHERE n = %s", [n])
                ask(conn, "SAVEPOINT s")
                failing(DUPLICATE, lambda conn=conn, n=n: ask(conn, "INSERT INTO purse VALUES (%s, 5)", [n]))
                ask(conn, "UPDATE purse SET money = 0")
                ask(conn, "ROLLBACK TO SAVEPOINT s")
                ask(conn, "UPDATE purse SET money = money + 1 WHERE n = %s", [(n + round_) % SIZE])
                if n % 3 == 0:
                    conn.rollback()
                else:
                    conn.commit()
        assert ask(clients[0], "SELECT CAST(SUM(money) AS SIGNED) FROM purse") == (100 * SIZE,)
        clients[0].commit()
    administer("DROP TABLE purse")


def generated_numbers():
    """`lastrowid`, `insert_id()` and LAST_INSERT_ID() (MY-48); warnings counted in the reply."""
    administer("CREATE TABLE numbered (id INT AUTO_INCREMENT PRIMARY KEY, n INT, t VARCHAR(3))")
    with crowd_of(autocommit=True) as clients:
        for round_ in range(ROUNDS):
            ids = []
            for n, conn in enumerate(clients):
                with conn.cursor() as cur:
                    cur.execute("INSERT INTO numbered (n) VALUES (%s)", [n])
                    ids.append(cur.lastrowid)
            for n, conn in enumerate(clients):
                assert ask(conn, "SELECT LAST_INSERT_ID()") == (ids[n],)
                assert ask(conn, "SELECT n FROM numbered WHERE id = LAST_INSERT_ID()") == (n,)
                with conn.cursor() as cur:
                    changed = cur.execute("UPDATE numbered SET t = %s WHERE n = %s", [str(round_), n])
                    assert changed == round_ + 1, changed
    administer("DROP TABLE numbered")


def unbuffered():
    """Rows as they come, of several results too (MY-08)."""
    administer("CREATE PROCEDURE both_of(n INT) BEGIN SELECT n; SELECT n + 1; END")
    series = "WITH RECURSIVE s (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < 900) SELECT g FROM s"
    with crowd_of(autocommit=True) as clients:
        for _ in range(ROUNDS):
            for n, conn in enumerate(clients):
                with conn.cursor(cursors.SSCursor) as cur:
                    cur.execute(series)
                    assert [g for (g,) in cur.fetchmany(3)] == [1, 2, 3]
                    assert sum(g for (g,) in cur.fetchall()) == 405444
                with conn.cursor() as cur:
                    cur.callproc("both_of", (n,))
                    assert cur.fetchone() == (n,)
                    assert cur.nextset() and cur.fetchone() == (n + 1,)
                assert ask(conn, "SELECT %s, @@autocommit", [n]) == (n, 1)
    administer("DROP PROCEDURE both_of")


def schemas():
    """USE by a command of the protocol and by a statement, for whoever comes (MY-51)."""
    administer(*[f"CREATE DATABASE tenant_{n}" for n in range(SIZE)])
    administer(*[f"CREATE TABLE tenant_{n}.own AS SELECT {n} AS n" for n in range(SIZE)])
    with crowd_of() as clients:
        for round_ in range(ROUNDS):
            for n, conn in enumerate(clients):
                at = (n + round_) % SIZE
                if round_ % 2 == 0:
                    conn.select_db(f"tenant_{at}")
                else:
                    ask(conn, f"USE tenant_{at}")
                conn.commit()
            for n, conn in enumerate(clients):
                at = (n + round_) % SIZE
                assert ask(conn, "SELECT n, DATABASE() FROM own") == (at, f"tenant_{at}")
                conn.ping()
                conn.rollback()
    administer(*[f"DROP DATABASE tenant_{n}" for n in range(SIZE)])


def temporary_tables():
    """Each pins until its table is dropped (MY-47)."""
    with crowd_of(autocommit=True) as clients:
        for n, conn in enumerate(clients):
            ask(conn, "CREATE TEMPORARY TABLE scratch (n INT)")
            ask(conn, "INSERT INTO scratch VALUES (%s)", [n])
            assert ask(conn, "SELECT n FROM scratch") == (n,)
            ask(conn, "DROP TEMPORARY TABLE scratch")


def locks():
    """As migration tools take them (MY-47)."""
    with crowd_of(autocommit=True) as clients:
        for n, conn in enumerate(clients):
            assert ask(conn, "SELECT GET_LOCK(%s, 10)", ["migration"]) == (1,)
            assert ask(conn, "SELECT %s", [n]) == (n,)
            assert ask(conn, "SELECT RELEASE_LOCK(%s)", ["migration"]) == (1,)


for line in sys.stdin:
    name = line.strip()
    globals()[name]()
    print(name, flush=True)
