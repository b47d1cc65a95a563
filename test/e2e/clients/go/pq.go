package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/lib/pq"
)

var pqScenarios = map[string]func(context.Context){
	"version": func(ctx context.Context) {
		db := open("")
		defer db.Close()
		same("app", ask(ctx, db, "SELECT current_user"))
		printVersion("golang-github-lib-pq-dev")
	},
	"settings":     pqSettings,
	"prepared":     pqPrepared,
	"pool":         pqPool,
	"transactions": pqTransactions,
	"copies":       pqCopies,
	"cancel":       pqCancel,
	"listen":       pqListen,
}

func open(words string) *sql.DB {
	db, err := sql.Open("postgres", words)
	must(err)
	return db
}

// pqCrowd has more clients than there are database connections, all at once.
func pqCrowd(ctx context.Context, words string) ([]*sql.Conn, func()) {
	db := open(words)
	var clients []*sql.Conn
	for range zones {
		conn, err := db.Conn(ctx)
		must(err)
		clients = append(clients, conn)
	}
	return clients, func() {
		// Errors are of no interest: the driver itself has closed those whose statements were cancelled.
		for _, conn := range clients {
			_ = conn.Close()
		}
		_ = db.Close()
	}
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func ask(ctx context.Context, from querier, query string, values ...any) string {
	var answer string
	must(from.QueryRowContext(ctx, query, values...).Scan(&answer))
	return answer
}

// Each client sees its own (PG-52, PG-56, GX-01).
func pqSettings(ctx context.Context) {
	clients, done := pqCrowd(ctx, "")
	defer done()
	allAtOnce(func(n int) {
		for _, query := range []string{
			fmt.Sprintf("SET TIME ZONE '%s'; SET search_path TO app, 'own %d'", zones[n], n),
			"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		} {
			_, err := clients[n].ExecContext(ctx, query)
			must(err)
		}
		ask(ctx, clients[n], "SELECT set_config('app.name', $1, false)", fmt.Sprint("it's ", n))
	})
	for round := 0; round < rounds; round++ {
		allAtOnce(func(n int) {
			seen := ask(ctx, clients[n], `SELECT concat_ws('|', current_setting('TimeZone'), current_setting('search_path'),
				current_setting('transaction_isolation'), current_setting('app.name'))`)
			same(fmt.Sprintf(`%s|app, "own %d"|repeatable read|it's %d`, zones[n], n, n), seen)
		})
	}
}

// Statements are called `1`, `2` and so on in everybody's connection (PG-84, PG-86).
func pqPrepared(ctx context.Context) {
	for _, words := range []string{"", "binary_parameters=yes"} {
		clients, done := pqCrowd(ctx, words)
		allAtOnce(func(n int) {
			kept, err := clients[n].PrepareContext(ctx, fmt.Sprintf("SELECT %d * 10 + $1::int", n))
			must(err)
			for round := 0; round < rounds; round++ {
				var seen int
				must(kept.QueryRowContext(ctx, round).Scan(&seen))
				same(n*10+round, seen)
				for k := 0; k < 3; k++ {
					short, err := clients[n].PrepareContext(ctx, fmt.Sprintf("SELECT %d * 100 + %d + $1::int", n, k))
					must(err)
					must(short.QueryRowContext(ctx, round).Scan(&seen))
					same(n*100+k+round, seen)
					must(short.Close())
				}
				_, err = clients[n].PrepareContext(ctx, "SELECT nothing")
				failing("42703", err)
			}
		})
		done()
	}
}

// database/sql prepares a statement of a pool again on whichever connection it gets.
func pqPool(ctx context.Context) {
	db := open("application_name=pooled connect_timeout=20")
	defer db.Close()
	db.SetMaxOpenConns(len(zones))
	pooled, err := db.PrepareContext(ctx, "SELECT $1::text || current_setting('application_name')")
	must(err)
	defer pooled.Close()
	for round := 0; round < rounds; round++ {
		allAtOnce(func(n int) {
			var seen string
			must(pooled.QueryRowContext(ctx, fmt.Sprint(n)).Scan(&seen))
			same(fmt.Sprint(n, "pooled"), seen)
			same(fmt.Sprint(n), ask(ctx, db, "SELECT $1::int", n))
		})
	}
}

// An isolation level is a SET TRANSACTION after BEGIN; a failed transaction can only be rolled back.
func pqTransactions(ctx context.Context) {
	clients, done := pqCrowd(ctx, "")
	defer done()
	allAtOnce(func(n int) {
		for round := 0; round < rounds; round++ {
			tx, err := clients[n].BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: true})
			must(err)
			same("serializable", ask(ctx, tx, "SHOW transaction_isolation"))
			_, err = tx.ExecContext(ctx, "CREATE TABLE app.forbidden (n int)")
			failing("25006", err)
			must(tx.Rollback())
			same("read committed", ask(ctx, clients[n], "SHOW transaction_isolation"))
		}
	})
}

// COPY both as it should be and with a mistake (PG-07, PG-09).
func pqCopies(ctx context.Context) {
	db := open("")
	defer db.Close()
	_, err := db.ExecContext(ctx, "DROP TABLE IF EXISTS app.copied; CREATE TABLE app.copied (n int PRIMARY KEY, t text)")
	must(err)
	allAtOnce(func(n int) {
		for _, last := range []int{n*1000 + 999, n * 1000} {
			tx, err := db.BeginTx(ctx, nil)
			must(err)
			copied, err := tx.PrepareContext(ctx, pq.CopyInSchema("app", "copied", "n", "t"))
			must(err)
			for k := 0; k < 999; k++ {
				_, err = copied.ExecContext(ctx, n*1000+k, "t")
				must(err)
			}
			_, err = copied.ExecContext(ctx, last, nil)
			must(err)
			_, err = copied.ExecContext(ctx)
			if last%1000 == 0 {
				failing("23505", err)
				must(tx.Rollback())
				continue
			}
			must(err)
			must(copied.Close())
			must(tx.Commit())
		}
	})
	same("8000", ask(ctx, db, "SELECT count(*) FROM app.copied"))
	_, err = db.ExecContext(ctx, "DROP TABLE app.copied")
	must(err)
}

// A context that ends cancels the statement by a request of its own (PG-40).
func pqCancel(ctx context.Context) {
	clients, done := pqCrowd(ctx, "")
	defer done()
	short, stop := context.WithCancel(ctx)
	go func() {
		for ask(ctx, clients[1], "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(59)'") == "0" {
		}
		stop()
	}()
	_, err := clients[0].ExecContext(short, "SELECT pg_sleep(59)")
	if err == nil {
		panic("not cancelled")
	}
	allAtOnce(func(n int) {
		if n > 0 {
			same(fmt.Sprint(n), ask(ctx, clients[n], "SELECT $1::int", n))
		}
	})
}

// A listener has a connection of its own, which is pinned for as long as it listens (PG-69).
func pqListen(ctx context.Context) {
	db := open("")
	defer db.Close()
	for round := 0; round < rounds; round++ {
		listener := pq.NewListener("", time.Second, time.Minute, nil)
		must(listener.Listen("news"))
		ask(ctx, db, "SELECT pg_notify('news', $1)", fmt.Sprint(round))
		heard := <-listener.Notify
		same([]string{"news", fmt.Sprint(round)}, []string{heard.Channel, heard.Extra})
		must(listener.Ping())
		must(listener.UnlistenAll())
		must(listener.Close())
	}
}
