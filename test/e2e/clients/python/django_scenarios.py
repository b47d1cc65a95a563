"""Django's ORM through Sluice: scenario by scenario, found by libpq's environment."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import django
from crowd import ROUNDS, SIZE, ZONES, main
from django.conf import settings

settings.configure(
    DATABASES={
        # What is not said here, libpq finds in the environment; Django wants a name.
        "default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]}
    },
    INSTALLED_APPS=[],
    USE_TZ=True,
    TIME_ZONE="Europe/Berlin",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.db import IntegrityError, connection, models, transaction  # noqa: E402
from django.db.models import F  # noqa: E402


class Book(models.Model):
    title = models.CharField(max_length=40, unique=True)
    sold = models.IntegerField(default=0)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "shop"
        db_table = '"app"."book"'


def all_at_once(work):
    """Django has one connection for each thread: more threads than there are database connections."""
    together = threading.Barrier(SIZE, timeout=30)

    def request(n):
        try:
            return work(n, together)
        finally:
            connection.close()

    with ThreadPoolExecutor(SIZE) as threads:
        return list(threads.map(request, range(SIZE)))


def ask(query, values=None):
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchone()


def with_books(work):
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS app.book")
    with connection.schema_editor() as editor:
        editor.create_model(Book)
    try:
        work()
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Book)


def version():
    assert ask("SELECT current_user") == ("app",)
    print(django.get_version())


def requests():
    """Each request has the settings of its own user, as audit trails and row security want them (GX-01)."""

    def work(n, together):
        for round_ in range(ROUNDS):
            together.wait()
            ask("SELECT set_config('app.name', %s, false), set_config('search_path', %s, false)", [f"{n}", f"s{n}"])
            with transaction.atomic():
                ask("SELECT set_config('app.request', %s, true)", [f"{round_}"])
                assert ask("SHOW app.request") == (f"{round_}",)
            together.wait()
            seen = ask("SELECT current_setting('app.name'), current_setting('search_path'), current_setting('TimeZone')")
            assert seen == (f"{n}", f"s{n}", "UTC"), seen
            assert ask("SELECT current_setting('app.request', true)")[0] in (None, "")

    all_at_once(work)


def time_zones():
    """`DATABASES[…]['TIME_ZONE']` and its like are SET when connecting."""

    def work(n, together):
        connection.ensure_connection()
        ask_nothing(f"SET TIME ZONE '{ZONES[n]}'")
        for _ in range(ROUNDS):
            together.wait()
            assert ask("SHOW TimeZone") == (ZONES[n],)

    def ask_nothing(query):
        with connection.cursor() as cursor:
            cursor.execute(query)

    all_at_once(work)


def models_and_transactions():
    """Rows, savepoints, row locks, deferred constraints."""

    def work(n, _together):
        books = Book.objects.bulk_create([Book(title=f"{n}.{k}") for k in range(20)])
        assert len({book.pk for book in books}) == 20
        first = Book.objects.get(title=f"{n}.0")
        for _ in range(ROUNDS):
            with transaction.atomic():
                locked = Book.objects.select_for_update().get(pk=first.pk)
                Book.objects.filter(pk=locked.pk).update(sold=F("sold") + 1)
                try:
                    with transaction.atomic():
                        Book.objects.create(title=f"{n}.1")
                    raise AssertionError("no error")
                except IntegrityError:
                    pass
            made, created = Book.objects.get_or_create(title=f"{n}.1")
            assert not created and made.sold == 0
        first.refresh_from_db()
        assert first.sold == ROUNDS
        assert Book.objects.filter(title__startswith=f"{n}.").count() == 20

    with_books(lambda: all_at_once(work))


def iterator():
    """`iterator()` outside a transaction declares a cursor WITH HOLD: it pins until the cursor is closed (PG-66)."""

    def work(n, _together):
        Book.objects.bulk_create([Book(title=f"{n}.{k:03}") for k in range(50)])
        mine = Book.objects.filter(title__startswith=f"{n}.").order_by("title")
        for _ in range(ROUNDS):
            assert [book.title for book in mine.iterator(chunk_size=7)] == [f"{n}.{k:03}" for k in range(50)]
            assert ask("SELECT 1") == (1,)

    with_books(lambda: all_at_once(work))


main(globals())
