"""asyncpg through Sluice: scenario by scenario, found by libpq's environment."""

import asyncio
from contextlib import asynccontextmanager

import asyncpg
from crowd import ROUNDS, SIZE, ZONES, main


@asynccontextmanager
async def connect(**more):
    conn = await asyncpg.connect(**more)
    try:
        yield conn
    finally:
        await conn.close()


@asynccontextmanager
async def crowd_of(**more):
    """More clients than there are database connections, all at once."""
    clients = await asyncio.gather(*(asyncpg.connect(**more) for _ in range(SIZE)))
    try:
        yield clients
    finally:
        await asyncio.gather(*(conn.close() for conn in clients))


async def each(clients, work):
    """Everybody at the same time; the answers in order."""
    return await asyncio.gather(*(work(n, conn) for n, conn in enumerate(clients)))


async def version():
    async with connect() as conn:
        assert await conn.fetchval("SELECT current_user") == "app"
        print(asyncpg.__version__)


async def pool():
    """
    The pool's habits: a set-up for each connection, another each time it is lent, and on its way back its reset query
    `SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;`. None of it ties anybody.
    """

    async def init(conn):
        await conn.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=str)

    async def setup(conn):
        await conn.execute("SET TIME ZONE 'Asia/Tokyo'")

    async with asyncpg.create_pool(
        min_size=SIZE, max_size=SIZE, init=init, setup=setup, server_settings={"application_name": "pooled"}
    ) as pool:

        async def work(n):
            async with pool.acquire() as conn:
                assert await conn.fetchval("SHOW TimeZone") == "Asia/Tokyo"
                assert await conn.fetchval("SHOW application_name") == "pooled"
                await conn.execute(f"SET application_name = 'user {n}'")
                assert await conn.fetchval("SELECT $1::jsonb", f"{n}") == f"{n}"
                async with conn.transaction(isolation="serializable", readonly=True):
                    assert await conn.fetchval("SHOW transaction_isolation") == "serializable"
                    assert await conn.fetchval("SELECT $1::int + 1", n) == n + 1
                assert await conn.fetchval("SHOW application_name") == f"user {n}"

        await asyncio.gather(*(work(n) for n in range(10 * SIZE)))


async def settings():
    """Each client sees its own, and is told of it (PG-50, PG-51, GX-01)."""
    async with crowd_of() as clients:

        async def change(n, conn):
            await conn.execute(f"SET TIME ZONE '{ZONES[n]}'")
            await conn.execute("SELECT set_config('app.name', $1, false)", f"it's {n}\\")

        async def look(n, conn):
            seen = await conn.fetchrow("SELECT current_setting('TimeZone'), current_setting('app.name')")
            assert tuple(seen) == (ZONES[n], f"it's {n}\\"), seen
            assert conn.get_settings().TimeZone == ZONES[n], conn.get_settings()

        await each(clients, change)
        for _ in range(ROUNDS):
            await each(clients, look)


async def statements():
    """
    `__asyncpg_stmt_1__` and its kin in all clients, of different texts (PG-80, PG-84, PG-91). prepare() says Flush and no
    Sync: it is open until the client's next statement (PG-03).
    """
    async with crowd_of() as clients:

        async def prepare(n, conn):
            statement = await conn.prepare(f"SELECT {n}, $1::{'text' if n % 2 else 'int'}")
            assert await conn.fetchval("SELECT $1::int", n) == n
            return statement

        prepared = await each(clients, prepare)
        for round_ in range(ROUNDS):

            async def work(n, conn):
                assert await conn.fetchval(f"SELECT {n} + $1::int", round_) == n + round_
                value = str(round_) if n % 2 else round_
                assert tuple(await prepared[n].fetchrow(value)) == (n, value)
                assert [p.name for p in prepared[n].get_parameters()] == ["text" if n % 2 else "int4"]
                await conn.executemany("SELECT $1::int, $2::text", [(k, str(k)) for k in range(20)])

            await each(clients, work)


async def statements_forgotten():
    """A small cache closes what it drops; no cache closes each one at once or has no names (PG-86, PG-93)."""
    for size in (0, 2):
        async with crowd_of(statement_cache_size=size, max_cached_statement_lifetime=0) as clients:
            for round_ in range(ROUNDS):

                async def work(n, conn):
                    for k in range(5):
                        assert await conn.fetchval(f"SELECT {k} + $1::int", n + round_) == k + n + round_
                    try:
                        await conn.fetchval("SELECT nothing + $1::int", n)
                        raise AssertionError("no error")
                    except asyncpg.UndefinedColumnError:
                        pass

                await each(clients, work)


async def types():
    """Types of one's own are asked about with statements of their own, with `jit` off around it (PG-91)."""
    async with connect() as conn:
        await conn.execute(
            "DROP TYPE IF EXISTS app.point3, app.mood; CREATE TYPE app.mood AS ENUM ('sad', 'glad');"
            "CREATE TYPE app.point3 AS (x int, y float8, mood app.mood)"
        )
    async with crowd_of() as clients:

        async def work(n, conn):
            point = await conn.fetchval("SELECT $1::app.point3", (n, 1.5, "glad"))
            assert tuple(point) == (n, 1.5, "glad"), point
            points = await conn.fetchval("SELECT ARRAY[$1::app.point3, ROW(0, 0, 'sad')::app.point3]", (n, 2.5, "sad"))
            assert [p["x"] for p in points] == [n, 0], points
            jit = await conn.fetchval("SHOW jit")
            assert jit == "on", jit

        await each(clients, work)
        await each(clients, work)
    async with connect() as conn:
        await conn.execute("DROP TYPE app.point3, app.mood")


async def cached_plan():
    """A result that changes under a cached statement: asyncpg hears of it and prepares again (PG-83)."""
    async with connect() as conn, connect() as other:
        await other.execute("DROP TABLE IF EXISTS app.changing; CREATE TABLE app.changing AS SELECT 1 AS a")
        for _ in range(2):
            assert tuple(await conn.fetchrow("SELECT * FROM app.changing")) == (1,)
        await other.execute("ALTER TABLE app.changing ADD b text DEFAULT 'b'")
        assert tuple(await conn.fetchrow("SELECT * FROM app.changing")) == (1, "b")
        async with conn.transaction():
            await other.execute("SELECT 1")
        await other.execute("DROP TABLE app.changing")


async def cursors():
    """A portal by name, fetched in pieces inside a transaction (PG-04)."""
    async with crowd_of() as clients:

        async def work(n, conn):
            async with conn.transaction():
                seen = [row[0] async for row in conn.cursor(f"SELECT generate_series({n}, {n} + 99)", prefetch=10)]
                assert seen == list(range(n, n + 100)), seen
                cursor = await conn.cursor("SELECT generate_series(1, 10)")
                await cursor.forward(3)
                assert [row[0] for row in await cursor.fetch(2)] == [4, 5]

        await each(clients, work)


async def copy():
    """COPY in and out, and one that fails (PG-07, PG-09)."""
    async with crowd_of() as clients:
        await clients[0].execute("DROP TABLE IF EXISTS app.copied; CREATE TABLE app.copied (n int PRIMARY KEY, t text)")

        async def work(n, conn):
            records = [(n * 1000 + k, f"{k}") for k in range(1000)]
            assert await conn.copy_records_to_table("copied", schema_name="app", records=records) == "COPY 1000"
            try:
                await conn.copy_records_to_table("copied", schema_name="app", records=records * 3)
                raise AssertionError("no error")
            except asyncpg.UniqueViolationError:
                pass
            out = bytearray()
            await conn.copy_from_query("SELECT n FROM app.copied WHERE n = $1", n * 1000, output=write_to(out))
            assert bytes(out) == b"%d\n" % (n * 1000), out

        def write_to(out):
            async def write(data):
                out.extend(data)

            return write

        await each(clients, work)
        assert await clients[0].fetchval("SELECT count(*) FROM app.copied") == 1000 * SIZE
        await clients[0].execute("DROP TABLE app.copied")


async def timeout():
    """A statement that takes too long is cancelled by a request of its own (PG-40)."""
    async with crowd_of() as clients:
        try:
            await clients[0].fetchval("SELECT pg_sleep(59)", timeout=0.3)
            raise AssertionError("not cancelled")
        except asyncio.TimeoutError:
            pass
        for _ in range(ROUNDS):
            assert await each(clients, lambda n, conn: conn.fetchval("SELECT $1::int", n)) == list(range(SIZE))


async def listen():
    """A listener is pinned for as long as it listens; the pool's `UNLISTEN *` without one is nothing (PG-69)."""
    async with crowd_of() as clients:
        for n, conn in enumerate(clients):
            heard = asyncio.Queue()

            def hear(_conn, _pid, channel, payload):
                heard.put_nowait((channel, payload))

            await conn.add_listener("news", hear)
            await clients[n - 1].execute(f"NOTIFY news, '{n}'")
            assert await heard.get() == ("news", str(n))
            await conn.remove_listener("news", hear)
        assert await each(clients, lambda n, conn: conn.fetchval("SELECT $1::int", n)) == list(range(SIZE))


async def locks():
    """A session's lock that the pool's reset query gives back: then nothing ties the client any more (PG-67)."""
    async with asyncpg.create_pool(min_size=SIZE, max_size=SIZE) as pool:
        for n in range(SIZE):
            async with pool.acquire() as conn:
                assert await conn.fetchval("SELECT pg_try_advisory_lock(7)")
                assert await conn.fetchval("SELECT $1::int", n) == n
        async with connect() as conn:
            assert await conn.fetchval("SELECT pg_try_advisory_xact_lock(7)")


main(globals(), lambda scenario: asyncio.run(scenario()))
