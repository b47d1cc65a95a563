"""SQLAlchemy on psycopg 2 and on asyncpg through Sluice: scenario by scenario, found by libpq's environment."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy
from crowd import ROUNDS, SIZE, ZONES, main
from sqlalchemy import Column, ForeignKey, Integer, String, create_engine, event, func, inspect, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session, declarative_base, relationship

Base = declarative_base()


class Owner(Base):
    __tablename__ = "owner"
    __table_args__ = {"schema": "app"}
    id = Column(Integer, primary_key=True)
    name = Column(String, unique=True)
    pets = relationship("Pet", back_populates="owner", order_by="Pet.id")


class Pet(Base):
    __tablename__ = "pet"
    __table_args__ = {"schema": "app"}
    id = Column(Integer, primary_key=True)
    name = Column(String)
    owner_id = Column(ForeignKey("app.owner.id"))
    owner = relationship("Owner", back_populates="pets")


def engine(**more):
    return create_engine("postgresql+psycopg2://", pool_size=SIZE, max_overflow=0, **more)


def all_at_once(work):
    """Runs it in as many threads as a crowd has clients, each with a connection of the engine's pool."""
    together = threading.Barrier(SIZE, timeout=30)
    with ThreadPoolExecutor(SIZE) as threads:
        return list(threads.map(lambda n: work(n, together), range(SIZE)))


def version():
    with engine().connect() as conn:
        assert conn.scalar(text("SELECT current_user")) == "app"
        print(sqlalchemy.__version__)


def set_on_connect():
    """The search path of each new connection, as the manual shows it, and a look whether it still lives."""
    pooled = engine(pool_pre_ping=True)

    @event.listens_for(pooled, "connect")
    def on_connect(connection, _record):
        autocommit, connection.autocommit = connection.autocommit, True
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION search_path='app'")
            cursor.execute("SET timezone TO 'Asia/Tokyo'")
        connection.autocommit = autocommit

    def work(n, together):
        for _ in range(ROUNDS):
            with pooled.connect() as conn:
                together.wait()
                seen = conn.execute(text("SELECT current_setting('search_path'), current_setting('TimeZone'), :n"), {"n": n})
                assert tuple(seen.one()) == ("app", "Asia/Tokyo", n)

    all_at_once(work)


def isolation_levels():
    """An engine's level, a connection's own, and AUTOCOMMIT (PG-56)."""
    serializable = engine(isolation_level="SERIALIZABLE")
    levels = ["REPEATABLE READ", "READ COMMITTED", "AUTOCOMMIT"]

    def work(n, _together):
        for _ in range(ROUNDS):
            with serializable.connect() as conn:
                assert conn.scalar(text("SHOW transaction_isolation")) == "serializable"
            level = levels[n % 3]
            with serializable.connect().execution_options(isolation_level=level) as conn:
                seen = conn.scalar(text("SHOW transaction_isolation"))
                assert seen == ("read committed" if level == "AUTOCOMMIT" else level.lower()), seen

    all_at_once(work)


def models():
    """Tables made and looked at, rows by RETURNING, nested transactions, locks, a stream by a server-side cursor."""
    pooled = engine()
    Base.metadata.drop_all(pooled)
    Base.metadata.create_all(pooled)
    assert [c["name"] for c in inspect(pooled).get_columns("pet", schema="app")] == ["id", "name", "owner_id"]

    def work(n, _together):
        with Session(pooled) as session:
            owner = Owner(name=f"owner {n}", pets=[Pet(name=f"pet {k}") for k in range(20)])
            session.add(owner)
            session.flush()
            key = owner.id
            try:
                with session.begin_nested():
                    session.add(Owner(name=f"owner {n}"))
            except sqlalchemy.exc.IntegrityError:
                pass
            session.commit()
            again = session.execute(select(Owner).where(Owner.id == key).with_for_update()).scalar_one()
            assert [pet.name for pet in again.pets] == [f"pet {k}" for k in range(20)]
            session.rollback()
        with pooled.connect().execution_options(stream_results=True, max_row_buffer=10) as conn:
            rows = conn.execute(select(Pet.name).where(Pet.owner_id == key).order_by(Pet.id))
            assert [name for (name,) in rows] == [f"pet {k}" for k in range(20)]

    all_at_once(work)
    with Session(pooled) as session:
        assert session.scalar(select(func.count()).select_from(Pet)) == 20 * SIZE
    Base.metadata.drop_all(pooled)


def on_asyncpg():
    """The other driver: a named statement for each text, isolation levels by SET, `jsonb` codecs for each connection."""

    async def run():
        pooled = create_async_engine(
            "postgresql+asyncpg://", pool_size=SIZE, max_overflow=0, connect_args={"prepared_statement_cache_size": 3}
        )

        async def work(n):
            for round_ in range(ROUNDS):
                async with pooled.connect() as conn:
                    await conn.execute(text(f"SET TIME ZONE '{ZONES[n]}'"))
                    for k in range(5):
                        assert await conn.scalar(text(f"SELECT {n} * 10 + {k} + :r"), {"r": round_}) == n * 10 + k + round_
                    assert await conn.scalar(text("SHOW TimeZone")) == ZONES[n]
                    await conn.rollback()
                async with pooled.connect() as conn:
                    await conn.execution_options(isolation_level="SERIALIZABLE")
                    assert await conn.scalar(text("SHOW transaction_isolation")) == "serializable"

        await asyncio.gather(*(work(n) for n in range(SIZE)))
        await pooled.dispose()

    asyncio.run(run())


main(globals())
