import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;

/** pgjdbc through Sluice: scenario by scenario, found by libpq's environment. */
public class Scenarios {
    /** One time zone for each client of a crowd: no two alike, and more than there are connections. */
    static final List<String> ZONES = List.of(
        "Asia/Tokyo", "America/New_York", "Europe/Berlin", "Pacific/Auckland",
        "Africa/Cairo", "Asia/Kolkata", "America/Sao_Paulo", "Australia/Perth");
    static final int ROUNDS = 4;

    public static void main(String[] arguments) throws Exception {
        BufferedReader names = new BufferedReader(new InputStreamReader(System.in));
        for (String name = names.readLine(); name != null; name = names.readLine()) {
            Scenarios.class.getDeclaredMethod(name).invoke(null);
            System.out.println(name);
        }
    }

    static Connection connect(String... more) throws SQLException {
        Properties properties = new Properties();
        properties.put("user", System.getenv("PGUSER"));
        properties.put("password", System.getenv("PGPASSWORD"));
        if (System.getenv("PGSSLMODE") != null) properties.put("sslmode", System.getenv("PGSSLMODE"));
        if (System.getenv("PGSSLROOTCERT") != null) properties.put("sslrootcert", System.getenv("PGSSLROOTCERT"));
        for (int at = 0; at < more.length; at += 2) properties.put(more[at], more[at + 1]);
        return DriverManager.getConnection(String.format("jdbc:postgresql://%s:%s/%s",
            System.getenv("PGHOST"), System.getenv("PGPORT"), System.getenv("PGDATABASE")), properties);
    }

    interface Work<T> {
        T on(List<Connection> clients) throws Exception;
    }

    /** More clients than there are database connections, all at once. */
    static void crowd(Work<Void> work, String... more) throws Exception {
        List<Connection> clients = new ArrayList<>();
        try {
            for (String ignored : ZONES) clients.add(connect(more));
            work.on(clients);
        } finally {
            for (Connection client : clients) client.close();
        }
    }

    interface Each {
        void run(int n, Connection connection) throws Exception;
    }

    /** Everybody at the same time, in a thread of its own. */
    static void allAtOnce(List<Connection> clients, Each work) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(clients.size());
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int n = 0; n < clients.size(); n++) {
            int number = n;
            tasks.add(() -> {
                work.run(number, clients.get(number));
                return null;
            });
        }
        try {
            for (Future<Void> done : threads.invokeAll(tasks)) done.get();
        } finally {
            threads.shutdownNow();
        }
    }

    static void same(Object expected, Object seen) {
        if (!expected.equals(seen)) throw new AssertionError("expected " + expected + ", not " + seen);
    }

    static String row(ResultSet rows) throws SQLException {
        if (!rows.next()) return "";
        List<String> cells = new ArrayList<>();
        for (int at = 1; at <= rows.getMetaData().getColumnCount(); at++) cells.add(rows.getString(at));
        return String.join("|", cells);
    }

    static String ask(Connection connection, String query, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            for (int at = 0; at < values.length; at++) statement.setObject(at + 1, values[at]);
            try (ResultSet rows = statement.executeQuery()) {
                return row(rows);
            }
        }
    }

    static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    interface Failing {
        void run() throws Exception;
    }

    /** The SQLSTATE of the error that must come. */
    static String failing(Failing work) throws Exception {
        try {
            work.run();
        } catch (SQLException error) {
            return error.getSQLState();
        }
        throw new AssertionError("no error");
    }

    static void version() throws Exception {
        try (Connection connection = connect()) {
            same("app", ask(connection, "SELECT current_user"));
            System.out.println(connection.getMetaData().getDriverVersion());
        }
    }

    /** What its setters send: SET SESSION CHARACTERISTICS, SET search_path, SET application_name (PG-52, PG-56, GX-01). */
    static void settings() throws Exception {
        int[] levels = {
            Connection.TRANSACTION_READ_COMMITTED, Connection.TRANSACTION_REPEATABLE_READ, Connection.TRANSACTION_SERIALIZABLE
        };
        List<String> names = List.of("read committed", "repeatable read", "serializable");
        crowd(clients -> {
            allAtOnce(clients, (n, connection) -> {
                connection.setTransactionIsolation(levels[n % 3]);
                connection.setReadOnly(n % 2 == 1);
                connection.setSchema("own " + n);
                connection.setClientInfo("ApplicationName", "it's " + n);
                connection.setNetworkTimeout(Runnable::run, 30000);
                run(connection, "SET TIME ZONE '" + ZONES.get(n) + "'");
            });
            for (int round = 0; round < ROUNDS; round++) {
                allAtOnce(clients, (n, connection) -> {
                    same(levels[n % 3], connection.getTransactionIsolation());
                    same("\"own " + n + "\"", ask(connection, "SHOW search_path"));
                    connection.setAutoCommit(false);
                    same(String.join("|", names.get(n % 3), n % 2 == 1 ? "on" : "off", ZONES.get(n), "it's " + n, "3"),
                        ask(connection, "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'),"
                            + " current_setting('TimeZone'), current_setting('application_name'), current_setting('extra_float_digits')"));
                    connection.rollback();
                    connection.setAutoCommit(true);
                    same(true, connection.isValid(10));
                    same(ZONES.get(n), connection.unwrap(PGConnection.class).getParameterStatus("TimeZone"));
                });
            }
            return null;
        });
    }

    /** Named from the fifth execution on: `S_1` in all clients, of different texts and types (PG-03, PG-80, PG-84). */
    static void statements() throws Exception {
        crowd(clients -> {
            allAtOnce(clients, (n, connection) -> {
                String text = "SELECT " + n + ", ?" + (n % 2 == 0 ? "::int" : "::text");
                try (PreparedStatement statement = connection.prepareStatement(text)) {
                    for (int k = 0; k < 12; k++) {
                        if (n % 2 == 0) statement.setInt(1, k);
                        else statement.setString(1, "" + k);
                        same(n + "|" + k, row(statement.executeQuery()));
                    }
                }
                for (int k = 0; k < 12; k++) same("" + (n + k), ask(connection, "SELECT " + n + " + ?::int", k));
            });
            return null;
        });
    }

    /** A cache of two statements: what falls out is closed with the next request; the types of a value may change (PG-86). */
    static void statementsForgotten() throws Exception {
        crowd(clients -> {
            allAtOnce(clients, (n, connection) -> {
                for (int round = 0; round < 3 * ROUNDS; round++) {
                    for (int k = 0; k < 5; k++) {
                        same("" + (n * 10 + k + round), ask(connection, "SELECT " + (n * 10 + k) + " + ?::int", round));
                    }
                }
                try (PreparedStatement statement = connection.prepareStatement("SELECT pg_typeof(?)::text")) {
                    for (int k = 0; k < 6; k++) {
                        if (k % 2 == 0) statement.setInt(1, k);
                        else statement.setDouble(1, k);
                        same(k % 2 == 0 ? "integer" : "double precision", row(statement.executeQuery()));
                    }
                }
            });
            return null;
        }, "prepareThreshold", "1", "preparedStatementCacheQueries", "2");
    }

    /** A plan whose result changes: an error in the middle of a transaction, healed by a savepoint before each (PG-83). */
    static void autosave() throws Exception {
        try (Connection other = connect()) {
            run(other, "DROP TABLE IF EXISTS app.changing; CREATE TABLE app.changing AS SELECT 1 AS a");
            for (String mode : List.of("never", "conservative", "always")) {
                try (Connection connection = connect("prepareThreshold", "1", "autosave", mode)) {
                    connection.setAutoCommit(false);
                    PreparedStatement statement = connection.prepareStatement("SELECT * FROM app.changing");
                    for (int k = 0; k < 3; k++) row(statement.executeQuery());
                    connection.commit();
                    run(other, "ALTER TABLE app.changing ADD " + mode + " int DEFAULT 1");
                    if (mode.equals("never")) {
                        same("0A000", failing(statement::executeQuery));
                        connection.rollback();
                    }
                    row(statement.executeQuery());
                    if (mode.equals("always")) {
                        same("22012", failing(() -> ask(connection, "SELECT 1 / ?::int", 0)));
                        same("1", ask(connection, "SELECT 1"));
                    }
                    connection.commit();
                }
            }
            run(other, "DROP TABLE app.changing");
        }
    }

    /** Batches, rewritten ones, one that fails, and keys that come back (PG-06). */
    static void batches() throws Exception {
        for (String rewrite : List.of("false", "true")) {
            crowd(clients -> {
                run(clients.get(0), "DROP TABLE IF EXISTS app.batch; CREATE TABLE app.batch (id serial, n int, k int, UNIQUE (n, k))");
                allAtOnce(clients, (n, connection) -> {
                    connection.setAutoCommit(false);
                    String insert = "INSERT INTO app.batch (n, k) VALUES (?, ?)";
                    try (PreparedStatement statement = connection.prepareStatement(insert, Statement.RETURN_GENERATED_KEYS)) {
                        for (int again = 0; again < 2; again++) {
                            for (int k = 0; k < 300; k++) {
                                statement.setInt(1, n);
                                statement.setInt(2, k);
                                statement.addBatch();
                            }
                            if (again == 0) {
                                same(300, statement.executeBatch().length);
                                connection.commit();
                            } else {
                                same("23505", failing(statement::executeBatch));
                                connection.rollback();
                            }
                        }
                    }
                    same("300", ask(connection, "SELECT count(DISTINCT id) FROM app.batch WHERE n = ?", n));
                    connection.commit();
                });
                run(clients.get(0), "DROP TABLE app.batch");
                return null;
            }, "reWriteBatchedInserts", rewrite);
        }
    }

    /** Portals, fetched ten rows at a time while their transaction is open, and one that a function returns (PG-04). */
    static void cursors() throws Exception {
        try (Connection connection = connect()) {
            run(connection, "CREATE OR REPLACE FUNCTION app.opened() RETURNS refcursor LANGUAGE plpgsql AS "
                + "$$ DECLARE c refcursor; BEGIN OPEN c FOR SELECT generate_series(1, 5); RETURN c; END $$");
        }
        crowd(clients -> {
            allAtOnce(clients, (n, connection) -> {
                connection.setAutoCommit(false);
                try (Statement statement = connection.createStatement()) {
                    for (int round = 0; round < ROUNDS; round++) {
                        statement.setFetchSize(10);
                        ResultSet rows = statement.executeQuery("SELECT generate_series(" + n * 1000 + ", " + (n * 1000 + 99) + ")");
                        for (int k = 0; k < 100; k++) same("" + (n * 1000 + k), row(rows));
                        connection.commit();
                    }
                }
                try (var call = connection.prepareCall("{? = call app.opened()}")) {
                    call.registerOutParameter(1, Types.REF_CURSOR);
                    call.execute();
                    same("1", row((ResultSet) call.getObject(1)));
                }
                connection.commit();
            });
            return null;
        });
        try (Connection connection = connect()) {
            run(connection, "DROP FUNCTION app.opened()");
        }
    }

    /** COPY both ways, and one that fails (PG-07, PG-09). */
    static void copy() throws Exception {
        crowd(clients -> {
            run(clients.get(0), "DROP TABLE IF EXISTS app.copied; CREATE TABLE app.copied (n int)");
            allAtOnce(clients, (n, connection) -> {
                CopyManager copy = connection.unwrap(PGConnection.class).getCopyAPI();
                same(1000L, copy.copyIn("COPY app.copied FROM STDIN", new StringReader((n + "\n").repeat(1000))));
                same("22P02", failing(() -> copy.copyIn("COPY app.copied FROM STDIN", new StringReader("1\n".repeat(9000) + "x\n"))));
                StringWriter out = new StringWriter();
                copy.copyOut("COPY (SELECT * FROM app.copied WHERE n = " + n + ") TO STDOUT", out);
                same((n + "\n").repeat(1000), out.toString());
            });
            same("8000", ask(clients.get(0), "SELECT count(*) FROM app.copied"));
            run(clients.get(0), "DROP TABLE app.copied");
            return null;
        });
    }

    /** Large objects are read and written by function calls of the protocol (PG-11). */
    static void largeObjects() throws Exception {
        byte[] content = "large object ".repeat(100000).getBytes(StandardCharsets.UTF_8);
        crowd(clients -> {
            allAtOnce(clients, (n, connection) -> {
                connection.setAutoCommit(false);
                LargeObjectManager manager = connection.unwrap(PGConnection.class).getLargeObjectAPI();
                long oid = manager.createLO();
                try (LargeObject object = manager.open(oid)) {
                    object.write(content);
                }
                connection.commit();
                try (LargeObject object = manager.open(oid)) {
                    same(content.length, (int) object.size64());
                    same(true, Arrays.equals(content, object.read(content.length)));
                }
                manager.delete(oid);
                connection.commit();
            });
            return null;
        });
    }

    /** A statement with a timeout, and one that somebody else cancels: by requests of their own (PG-40). */
    static void cancel() throws Exception {
        crowd(clients -> {
            try (Statement statement = clients.get(0).createStatement()) {
                statement.setQueryTimeout(1);
                same("57014", failing(() -> statement.executeQuery("SELECT pg_sleep(59)")));
            }
            try (Statement statement = clients.get(1).createStatement()) {
                Thread other = new Thread(() -> {
                    try {
                        String asleep = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(58)'";
                        while (ask(clients.get(2), asleep).isEmpty()) Thread.onSpinWait();
                        statement.cancel();
                    } catch (SQLException error) {
                        throw new IllegalStateException(error);
                    }
                });
                other.start();
                same("57014", failing(() -> statement.executeQuery("SELECT pg_sleep(58)")));
                other.join();
            }
            allAtOnce(clients, (n, connection) -> same("" + n, ask(connection, "SELECT ?::int", n)));
            return null;
        });
    }

    /** What tools and ORMs ask of the catalogue. */
    static void metadata() throws Exception {
        try (Connection connection = connect()) {
            run(connection, "DROP TABLE IF EXISTS app.described; CREATE TABLE app.described (id serial PRIMARY KEY, t varchar(9)[])");
            for (int round = 0; round < 2 * ROUNDS; round++) {
                ResultSet columns = connection.getMetaData().getColumns(null, "app", "described", null);
                for (String name : List.of("id", "t")) {
                    columns.next();
                    same(name, columns.getString("COLUMN_NAME"));
                }
                ResultSet keys = connection.getMetaData().getPrimaryKeys(null, "app", "described");
                keys.next();
                same("id", keys.getString("COLUMN_NAME"));
            }
            run(connection, "DROP TABLE app.described");
        }
    }

    /** LISTEN pins until UNLISTEN (PG-69). */
    static void listen() throws Exception {
        crowd(clients -> {
            for (int n = 0; n < clients.size(); n++) {
                Connection connection = clients.get(n);
                run(connection, "LISTEN news");
                ask(clients.get((n + 1) % clients.size()), "SELECT pg_notify('news', ?)", "" + n);
                PGNotification[] heard = connection.unwrap(PGConnection.class).getNotifications(10000);
                same(List.of("news", "" + n), List.of(heard[0].getName(), heard[0].getParameter()));
                run(connection, "UNLISTEN news");
            }
            return null;
        });
    }
}
