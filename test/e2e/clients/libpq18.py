"""What only libpq 17 and later can do, called directly; found by libpq's environment. One scenario a run."""

import ctypes
import select
import sys

pq = ctypes.CDLL("libpq.so.5")
for name in ("PQconnectdb", "PQgetResult", "PQcancelCreate"):
    getattr(pq, name).restype = ctypes.c_void_p
for name in ("PQerrorMessage", "PQresultErrorField", "PQgetvalue", "PQcancelErrorMessage", "PQparameterStatus"):
    getattr(pq, name).restype = ctypes.c_char_p

SQLSTATE = ord("C")


def pointer(address):
    return ctypes.c_void_p(address)


def connect():
    conn = pointer(pq.PQconnectdb(b""))
    assert pq.PQstatus(conn) == 0, pq.PQerrorMessage(conn)
    return conn


def readable(conn, seconds):
    return select.select([pq.PQsocket(conn)], [], [], seconds)[0] != []


def results(conn):
    """The SQLSTATE or the first value of each result of what was sent."""
    found = []
    while (address := pq.PQgetResult(conn)) is not None:
        result = pointer(address)
        code = pq.PQresultErrorField(result, SQLSTATE)
        found.append((code or pq.PQgetvalue(result, 0, 0)).decode())
        pq.PQclear(result)
    return found


def ask(conn, sql):
    assert pq.PQsendQuery(conn, sql) == 1, pq.PQerrorMessage(conn)
    return results(conn)


def cancel():
    """PQcancelBlocking encrypts its own connection as the first one is; it may come before the statement does."""
    conn, other = connect(), connect()
    assert pq.PQsendQuery(other, b"SELECT pg_sleep(0.5), 1") == 1
    assert pq.PQsendQuery(conn, b"SELECT pg_sleep(30)") == 1
    while not readable(conn, 0.2):
        canceller = pointer(pq.PQcancelCreate(conn))
        assert pq.PQcancelBlocking(canceller) == 1, pq.PQcancelErrorMessage(canceller)
        pq.PQcancelFinish(canceller)
    print(results(conn), ask(conn, b"SELECT 5"), results(other))


def version():
    """The protocol's: 30002 is 3.2."""
    conn = connect()
    print(pq.PQfullProtocolVersion(conn), ask(conn, b"SELECT 5"))


{"cancel": cancel, "version": version}[sys.argv[1]]()
