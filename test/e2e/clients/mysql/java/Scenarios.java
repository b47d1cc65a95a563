import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** MariaDB Connector/J through Sluice: scenario by scenario, found by `DB_HOST` and so on. */
public class Scenarios {
    /** One time zone for each client of a crowd: no two alike, and more than there are connections. */
    static final List<String> ZONES = List.of("+00:00", "+09:00", "-05:00", "+01:30", "+05:45", "+10:00");
    static final int ROUNDS = 4;
    static final int DUPLICATE = 1062;

    public static void main(String[] arguments) throws Exception {
        BufferedReader names = new BufferedReader(new InputStreamReader(System.in));
        for (String name = names.readLine(); name != null; name = names.readLine()) {
            Scenarios.class.getDeclaredMethod(name).invoke(null);
            System.out.println(name);
        }
    }

    static Connection connect(String... more) throws SQLException {
        Properties properties = new Properties();
        properties.put("user", System.getenv("DB_USER"));
        properties.put("password", System.getenv("DB_PASSWORD"));
        if ("verify-full".equals(System.getenv("DB_TLS"))) {
            properties.put("useSsl", "true");
            properties.put("serverSslCert", System.getenv("DB_CA"));
        } else {
            // Without TLS the server's key is asked for, where a password is to be told in secret.
            properties.put("allowPublicKeyRetrieval", "true");
        }
        for (int at = 0; at < more.length; at += 2) properties.put(more[at], more[at + 1]);
        return DriverManager.getConnection(String.format("jdbc:mariadb://%s:%s/%s",
            System.getenv("DB_HOST"), System.getenv("DB_PORT"), System.getenv("DB_NAME")), properties);
    }

    interface Work {
        void on(List<Connection> clients) throws Exception;
    }

    /** More clients than there are database connections, all at once. */
    static void crowd(Work work, String... more) throws Exception {
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

    /** The number of the error that must come. */
    static int failing(Failing work) throws Exception {
        try {
            work.run();
        } catch (SQLException error) {
            return error.getErrorCode();
        }
        throw new AssertionError("no error");
    }

    static void version() throws Exception {
        try (Connection connection = connect()) {
            same("app", ask(connection, "SELECT CURRENT_USER()").split("@")[0]);
            System.out.println(connection.getMetaData().getDriverVersion());
        }
    }

    /** What it says when it connects, and what frameworks call for each request (traps GX-01, MY-43, MY-45). */
    static void settings() throws Exception {
        String variables = "sql_mode='ANSI_QUOTES',wait_timeout=1234";
        crowd(clients -> {
            int[] levels = {
                Connection.TRANSACTION_READ_COMMITTED, Connection.TRANSACTION_REPEATABLE_READ, Connection.TRANSACTION_SERIALIZABLE,
            };
            for (int round = 0; round < ROUNDS; round++) {
                int now = round;
                allAtOnce(clients, (n, connection) -> {
                    connection.setTransactionIsolation(levels[(n + now) % 3]);
                    connection.setReadOnly(n % 2 == 0);
                    connection.setCatalog(n % 3 == 0 ? "information_schema" : "app");
                    run(connection, "SET time_zone = '" + ZONES.get(n) + "'");
                });
                allAtOnce(clients, (n, connection) -> {
                    same(levels[(n + now) % 3], connection.getTransactionIsolation());
                    same(n % 3 == 0 ? "information_schema" : "app", connection.getCatalog());
                    same(ZONES.get(n) + "|ANSI_QUOTES|1234|" + n,
                        ask(connection, "SELECT @@time_zone, @@sql_mode, @@wait_timeout, ?", n));
                    same(true, connection.isValid(5));
                });
            }
        }, "sessionVariables", variables);
    }

    /** Values in the text, or statements prepared by the server, with a cache of them (traps MY-60, MY-62, MY-68). */
    static void prepared() throws Exception {
        for (String byServer : List.of("true", "false")) {
            crowd(clients -> allAtOnce(clients, (n, connection) -> {
                try (PreparedStatement kept = connection.prepareStatement("SELECT " + n + ", ? + 0, CONCAT(?)")) {
                    for (int round = 0; round < ROUNDS; round++) {
                        kept.setInt(1, round);
                        kept.setString(2, "é " + n);
                        same(n + "|" + round + "|é " + n, row(kept.executeQuery()));
                        for (int k = 0; k < 4; k++) same("" + n + k, ask(connection, "SELECT CONCAT(" + n + ", ?)", k));
                        same(1054, failing(() -> ask(connection, "SELECT nothing + ?", 1)));
                        same(1242, failing(() -> ask(connection, "SELECT (SELECT 1 UNION SELECT 2) + ?", 1)));
                    }
                }
            }), "useServerPrepStmts", byServer, "prepStmtCacheSize", "3");
        }
    }

    /** Autocommit off, savepoints, generated numbers (traps MY-41, MY-44, MY-48). */
    static void transactions() throws Exception {
        try (Connection connection = connect()) {
            run(connection, "CREATE TABLE numbered (id INT AUTO_INCREMENT PRIMARY KEY, n INT)");
        }
        crowd(clients -> allAtOnce(clients, (n, connection) -> {
            String insert = "INSERT INTO numbered (n) VALUES (?)";
            for (int round = 0; round < ROUNDS; round++) {
                connection.setAutoCommit(false);
                try (PreparedStatement statement = connection.prepareStatement(insert, Statement.RETURN_GENERATED_KEYS)) {
                    statement.setInt(1, n);
                    same(1, statement.executeUpdate());
                    String id = row(statement.getGeneratedKeys());
                    same(id, ask(connection, "SELECT LAST_INSERT_ID()"));
                    var savepoint = connection.setSavepoint("s");
                    same(DUPLICATE, failing(() -> run(connection, "INSERT INTO numbered VALUES (" + id + ", 0)")));
                    connection.rollback(savepoint);
                }
                if (round % 2 == 0) connection.commit();
                else connection.rollback();
                connection.setAutoCommit(true);
                same("" + (round / 2 + 1), ask(connection, "SELECT COUNT(*) FROM numbered WHERE n = ?", n));
            }
        }));
        try (Connection connection = connect()) {
            run(connection, "DROP TABLE numbered");
        }
    }

    /** In bulk, as several statements in one text, or rewritten to one (trap MY-68). */
    static void batches() throws Exception {
        for (String way : List.of("useBulkStmts", "allowMultiQueries", "rewriteBatchedStatements")) {
            crowd(clients -> {
                run(clients.get(0), "CREATE TABLE batched (id INT AUTO_INCREMENT PRIMARY KEY, n INT, t VARCHAR(9))");
                allAtOnce(clients, (n, connection) -> {
                    try (PreparedStatement statement = connection.prepareStatement("INSERT INTO batched (n, t) VALUES (?, ?)")) {
                        for (int k = 0; k < 300; k++) {
                            statement.setInt(1, n);
                            statement.setString(2, k % 7 == 0 ? null : "t " + k);
                            statement.addBatch();
                        }
                        same(300, statement.executeBatch().length);
                    }
                    same("300|257", ask(connection, "SELECT COUNT(*), COUNT(t) FROM batched WHERE n = ?", n));
                });
                run(clients.get(0), "DROP TABLE batched");
            }, way, "true");
        }
    }

    /** Rows that are read some at a time, and procedures with parameters that come back and several results (traps MY-08, MY-64). */
    static void results() throws Exception {
        try (Connection connection = connect()) {
            run(connection, "CREATE PROCEDURE both_of(INOUT n INT) BEGIN SELECT n; SELECT n + 1; SET n = n + 2; END");
        }
        crowd(clients -> allAtOnce(clients, (n, connection) -> {
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(10);
                String text = "WITH RECURSIVE s (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < 900) SELECT g FROM s";
                ResultSet rows = statement.executeQuery(text);
                int sum = 0;
                while (rows.next()) sum += rows.getInt(1);
                same(405450, sum);
            }
            try (var call = connection.prepareCall("{call both_of(?)}")) {
                call.setInt(1, n);
                call.registerOutParameter(1, Types.INTEGER);
                call.execute();
                same("" + n, row(call.getResultSet()));
                same(true, call.getMoreResults());
                same("" + (n + 1), row(call.getResultSet()));
                same(n + 2, call.getInt(1));
            }
        }));
        try (Connection connection = connect()) {
            run(connection, "DROP PROCEDURE both_of");
        }
    }

    /** A statement with a timeout, and one that somebody else cancels by KILL QUERY (trap MY-30). */
    static void cancel() throws Exception {
        crowd(clients -> {
            String asleep = "SELECT COUNT(*) FROM information_schema.processlist WHERE info = 'SELECT SLEEP(58)'";
            try (Statement statement = clients.get(0).createStatement()) {
                Thread other = new Thread(() -> {
                    try {
                        while (ask(clients.get(1), asleep).equals("0")) Thread.onSpinWait();
                        statement.cancel();
                    } catch (SQLException error) {
                        throw new IllegalStateException(error);
                    }
                });
                other.start();
                try {
                    // One of the families says so by an error, the other by the function's result.
                    same("1", row(statement.executeQuery("SELECT SLEEP(58)")));
                } catch (SQLException error) {
                    same(1317, error.getErrorCode());
                }
                other.join();
            }
            allAtOnce(clients, (n, connection) -> same("" + n, ask(connection, "SELECT ?", n)));
        });
    }

    /** What tools and ORMs ask of the catalogue. */
    static void metadata() throws Exception {
        try (Connection connection = connect()) {
            run(connection, "CREATE TABLE described (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(9))");
            for (int round = 0; round < ROUNDS; round++) {
                ResultSet columns = connection.getMetaData().getColumns("app", null, "described", null);
                for (String name : List.of("id", "t")) {
                    columns.next();
                    same(name, columns.getString("COLUMN_NAME"));
                }
            }
            run(connection, "DROP TABLE described");
        }
    }

    /** Each pins until it is dropped (trap MY-47). */
    static void temporaryTables() throws Exception {
        crowd(clients -> {
            for (int n = 0; n < clients.size(); n++) {
                run(clients.get(n), "CREATE TEMPORARY TABLE scratch (n INT)");
                run(clients.get(n), "INSERT INTO scratch VALUES (" + n + ")");
                same("" + n, ask(clients.get(n), "SELECT n FROM scratch"));
                run(clients.get(n), "DROP TEMPORARY TABLE scratch");
            }
        });
    }
}
