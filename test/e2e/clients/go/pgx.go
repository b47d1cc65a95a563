package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

var pgxScenarios = map[string]func(context.Context){
	"version": func(ctx context.Context) {
		conn := connect(ctx, "")
		defer conn.Close(ctx)
		same("app", tell(ctx, conn, "SELECT current_user"))
		printVersion("golang-github-jackc-pgx-v4-dev")
	},
	"pool":         pgxPool,
	"statements":   pgxStatements,
	"prepared":     pgxPrepared,
	"batches":      pgxBatches,
	"cachedPlan":   pgxCachedPlan,
	"transactions": pgxTransactions,
	"copies":       pgxCopies,
	"largeObjects": pgxLargeObjects,
	"cancel":       pgxCancel,
	"listen":       pgxListen,
}

func connect(ctx context.Context, words string) *pgx.Conn {
	conn, err := pgx.Connect(ctx, words)
	must(err)
	return conn
}

// pgxCrowd has more clients than there are database connections, all at once.
func pgxCrowd(ctx context.Context, words string) ([]*pgx.Conn, func()) {
	var clients []*pgx.Conn
	for range zones {
		clients = append(clients, connect(ctx, words))
	}
	return clients, func() {
		for _, conn := range clients {
			must(conn.Close(ctx))
		}
	}
}

type rower interface {
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

func tell(ctx context.Context, from rower, query string, values ...any) string {
	var answer string
	must(from.QueryRow(ctx, query, values...).Scan(&answer))
	return answer
}

// The pool's hooks: settings for each connection, others each time it is lent, and RESET ALL when it comes back (GX-01).
func pgxPool(ctx context.Context) {
	config, err := pgxpool.ParseConfig(fmt.Sprintf("pool_max_conns=%d application_name=pooled", len(zones)))
	must(err)
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Prepare(ctx, "whoami", "SELECT current_setting('app.name') || $1::text")
		return err
	}
	config.BeforeAcquire = func(ctx context.Context, conn *pgx.Conn) bool {
		_, err := conn.Exec(ctx, "SET statement_timeout = '20s'")
		return err == nil
	}
	config.AfterRelease = func(conn *pgx.Conn) bool {
		_, err := conn.Exec(ctx, "RESET ALL")
		return err == nil
	}
	pool, err := pgxpool.ConnectConfig(ctx, config)
	must(err)
	defer pool.Close()
	for round := 0; round < rounds; round++ {
		allAtOnce(func(n int) {
			conn, err := pool.Acquire(ctx)
			must(err)
			defer conn.Release()
			_, err = conn.Exec(ctx, fmt.Sprintf("SET TIME ZONE '%s'; SET app.name = 'it''s %d'", zones[n], n))
			must(err)
			same(fmt.Sprintf("it's %d!", n), tell(ctx, conn, "whoami", "!"))
			same(zones[n]+" 20s pooled", tell(ctx, conn, `SELECT concat_ws(' ', current_setting('TimeZone'),
				current_setting('statement_timeout'), current_setting('application_name'))`))
			same(zones[n], conn.Conn().PgConn().ParameterStatus("TimeZone"))
		})
	}
}

// Its caches of statements: named ones, described ones, simple queries, and a cache that is too small (PG-84, PG-89).
func pgxStatements(ctx context.Context) {
	for _, words := range []string{
		"", "statement_cache_mode=describe", "statement_cache_capacity=2", "statement_cache_capacity=0", "simple",
	} {
		simple := words == "simple"
		clients, done := pgxCrowd(ctx, strings.TrimPrefix(words, "simple"))
		for round := 0; round < rounds; round++ {
			allAtOnce(func(n int) {
				for k := 0; k < 5; k++ {
					query := fmt.Sprintf("SELECT %d + $1::int", n*10+k)
					var seen int
					if simple {
						must(clients[n].QueryRow(ctx, query, pgx.QuerySimpleProtocol(true), round).Scan(&seen))
					} else {
						must(clients[n].QueryRow(ctx, query, round).Scan(&seen))
					}
					same(n*10+k+round, seen)
				}
				_, err := clients[n].Exec(ctx, "SELECT 1 / $1::int", 0)
				failing("22012", err)
			})
		}
		done()
	}
}

// Statements of one name and different texts, given up by `deallocate` (PG-80, PG-85).
func pgxPrepared(ctx context.Context) {
	clients, done := pgxCrowd(ctx, "")
	defer done()
	for round := 0; round < rounds; round++ {
		allAtOnce(func(n int) {
			told, err := clients[n].Prepare(ctx, "same", fmt.Sprintf("SELECT $1::%s::text, %d", []string{"int", "float8"}[n%2], n+round))
			must(err)
			same([]uint32{[]uint32{23, 701}[n%2]}, told.ParamOIDs)
			for k := 0; k < 3; k++ {
				same(fmt.Sprint(k), strings.Split(tell2(ctx, clients[n], "same", k), " ")[0])
			}
			must(clients[n].Deallocate(ctx, "same"))
			_, err = clients[n].PgConn().ExecPrepared(ctx, "same", [][]byte{[]byte("1")}, nil, nil).Close()
			failing("26000", err)
		})
	}
}

func tell2(ctx context.Context, conn *pgx.Conn, query string, values ...any) string {
	var text string
	var number int
	must(conn.QueryRow(ctx, query, values...).Scan(&text, &number))
	return fmt.Sprint(text, " ", number)
}

// Many statements in one go, and some after one that fails (PG-06).
func pgxBatches(ctx context.Context) {
	clients, done := pgxCrowd(ctx, "")
	defer done()
	for round := 0; round < rounds; round++ {
		allAtOnce(func(n int) {
			batch := &pgx.Batch{}
			for k := 0; k < 20; k++ {
				batch.Queue(fmt.Sprintf("SELECT %d + $1::int", n), k)
			}
			batch.Queue("SELECT 1 / $1::int", 0)
			batch.Queue("SELECT 1")
			results := clients[n].SendBatch(ctx, batch)
			for k := 0; k < 20; k++ {
				var seen int
				must(results.QueryRow().Scan(&seen))
				same(n+k, seen)
			}
			_, err := results.Exec()
			failing("22012", err)
			failing("22012", results.Close())
			same("1", tell(ctx, clients[n], "SELECT '1'"))
		})
	}
}

// A result that changes under a cached statement is an error once, and then it is prepared again (PG-83).
func pgxCachedPlan(ctx context.Context) {
	conn, other := connect(ctx, ""), connect(ctx, "")
	defer conn.Close(ctx)
	defer other.Close(ctx)
	_, err := other.Exec(ctx, "DROP TABLE IF EXISTS app.changing; CREATE TABLE app.changing AS SELECT 1 AS a")
	must(err)
	columns := func() (int, error) {
		rows, err := conn.Query(ctx, "SELECT * FROM app.changing")
		must(err)
		rows.Close()
		return len(rows.FieldDescriptions()), rows.Err()
	}
	for k := 0; k < 2; k++ {
		_, err = columns()
		must(err)
	}
	_, err = other.Exec(ctx, "ALTER TABLE app.changing ADD b int")
	must(err)
	_, err = columns()
	failing("0A000", err)
	seen, err := columns()
	must(err)
	same(2, seen)
	_, err = other.Exec(ctx, "DROP TABLE app.changing")
	must(err)
}

// Isolation levels in BEGIN's words, savepoints, and cursors of SQL inside a transaction.
func pgxTransactions(ctx context.Context) {
	clients, done := pgxCrowd(ctx, "")
	defer done()
	allAtOnce(func(n int) {
		for round := 0; round < rounds; round++ {
			options := pgx.TxOptions{IsoLevel: pgx.Serializable, AccessMode: pgx.ReadOnly, DeferrableMode: pgx.Deferrable}
			must(clients[n].BeginTxFunc(ctx, options, func(tx pgx.Tx) error {
				same("serializable", tell(ctx, tx, "SHOW transaction_isolation"))
				failing("22012", tx.BeginFunc(ctx, func(inner pgx.Tx) error {
					_, err := inner.Exec(ctx, "SELECT 1 / $1::int", 0)
					return err
				}))
				_, err := tx.Exec(ctx, fmt.Sprintf("DECLARE c CURSOR FOR SELECT generate_series(%d, %d)::text", n, n+9))
				must(err)
				same(fmt.Sprint(n), tell(ctx, tx, "FETCH 1 FROM c"))
				same(fmt.Sprint(n+1), tell(ctx, tx, "FETCH 1 FROM c"))
				return nil
			}))
		}
	})
}

// COPY in binary, and one that fails (PG-07, PG-09).
func pgxCopies(ctx context.Context) {
	clients, done := pgxCrowd(ctx, "")
	defer done()
	_, err := clients[0].Exec(ctx, "DROP TABLE IF EXISTS app.copied; CREATE TABLE app.copied (n int PRIMARY KEY, t text)")
	must(err)
	allAtOnce(func(n int) {
		copied := func(from int) (int64, error) {
			source := pgx.CopyFromSlice(1000, func(k int) ([]any, error) { return []any{n*1000 + (from+k)%1000, "t"}, nil })
			return clients[n].CopyFrom(ctx, pgx.Identifier{"app", "copied"}, []string{"n", "t"}, source)
		}
		count, err := copied(0)
		must(err)
		same(int64(1000), count)
		_, err = copied(500)
		failing("23505", err)
		same("1000", tell(ctx, clients[n], "SELECT count(*)::text FROM app.copied WHERE n / 1000 = $1", n))
	})
	_, err = clients[0].Exec(ctx, "DROP TABLE app.copied")
	must(err)
}

// Large objects, read and written in a transaction (PG-11).
func pgxLargeObjects(ctx context.Context) {
	clients, done := pgxCrowd(ctx, "")
	defer done()
	content := strings.Repeat("large object ", 50000)
	allAtOnce(func(n int) {
		must(clients[n].BeginFunc(ctx, func(tx pgx.Tx) error {
			objects := tx.LargeObjects()
			oid, err := objects.Create(ctx, 0)
			must(err)
			object, err := objects.Open(ctx, oid, pgx.LargeObjectModeRead|pgx.LargeObjectModeWrite)
			must(err)
			_, err = io.WriteString(object, content)
			must(err)
			_, err = object.Seek(0, io.SeekStart)
			must(err)
			read, err := io.ReadAll(object)
			must(err)
			same(content, string(read))
			return objects.Unlink(ctx, oid)
		}))
	})
}

// A request of its own cancels a statement (PG-40).
func pgxCancel(ctx context.Context) {
	clients, done := pgxCrowd(ctx, "")
	defer done()
	go func() {
		for tell(ctx, clients[1], "SELECT count(*)::text FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(59)'") == "0" {
		}
		must(clients[0].PgConn().CancelRequest(ctx))
	}()
	_, err := clients[0].Exec(ctx, "SELECT pg_sleep(59)")
	failing("57014", err)
	for n := range zones {
		same(fmt.Sprint(n), tell(ctx, clients[n], "SELECT $1::int::text", n))
	}
}

// LISTEN pins until UNLISTEN (PG-69).
func pgxListen(ctx context.Context) {
	clients, done := pgxCrowd(ctx, "")
	defer done()
	for n, conn := range clients {
		_, err := conn.Exec(ctx, "LISTEN news")
		must(err)
		_, err = clients[(n+1)%len(clients)].Exec(ctx, "SELECT pg_notify('news', $1)", fmt.Sprint(n))
		must(err)
		heard, err := conn.WaitForNotification(ctx)
		must(err)
		same([]string{"news", fmt.Sprint(n)}, []string{heard.Channel, heard.Payload})
		_, err = conn.Exec(ctx, "UNLISTEN news")
		must(err)
	}
}
