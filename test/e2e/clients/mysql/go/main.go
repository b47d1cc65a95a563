// go-sql-driver/mysql through Sluice: scenario by scenario, found by `DB_HOST` and so on.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// One time zone for each client of a crowd: no two alike, and more than there are connections.
var zones = []string{"+00:00", "+09:00", "-05:00", "+01:30", "+05:45", "+10:00", "-03:00", "+12:00"}

const (
	rounds    = 4
	duplicate = 1062
	unknown   = 1054
	readOnly  = 1792
)

var scenarios = map[string]func(context.Context){
	"version": func(ctx context.Context) {
		db := open("")
		defer db.Close()
		same("app", strings.Split(ask(ctx, db, "SELECT CURRENT_USER()"), "@")[0])
		printVersion("golang-github-go-sql-driver-mysql-dev")
	},
	"settings":     settings,
	"parameters":   parameters,
	"prepared":     prepared,
	"pool":         pool,
	"transactions": transactions,
	"results":      results,
	"locks":        locks,
}

func main() {
	if os.Getenv("DB_TLS") == "verify-full" {
		pem, err := os.ReadFile(os.Getenv("DB_CA"))
		must(err)
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		must(mysql.RegisterTLSConfig("verified", &tls.Config{RootCAs: roots, ServerName: os.Getenv("DB_HOST")}))
	}
	for names := bufio.NewScanner(os.Stdin); names.Scan(); {
		play(names.Text())
	}
}

func play(name string) {
	ctx, stop := context.WithTimeout(context.Background(), 50*time.Second)
	defer stop()
	scenarios[name](ctx)
	fmt.Println(name)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func same(expected, seen any) {
	if !reflect.DeepEqual(expected, seen) {
		panic(fmt.Sprintf("expected %v, not %v", expected, seen))
	}
}

// failing checks that this error has come.
func failing(number uint16, err error) {
	var told *mysql.MySQLError
	if !errors.As(err, &told) || told.Number != number {
		panic(fmt.Sprintf("expected %d, not %v", number, err))
	}
}

// allAtOnce runs it for each client of a crowd, everybody at the same time.
func allAtOnce(work func(n int)) {
	var group sync.WaitGroup
	for n := range zones {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			work(n)
		}(n)
	}
	group.Wait()
}

// printVersion asks Debian: the driver itself does not tell.
func printVersion(packageName string) {
	out, err := exec.Command("dpkg-query", "--show", "--showformat", "${source:Upstream-Version}", packageName).Output()
	must(err)
	fmt.Println(string(out))
}

// open takes words as they stand behind a DSN.
func open(words string) *sql.DB {
	if os.Getenv("DB_TLS") == "verify-full" {
		words += "&tls=verified"
	}
	db, err := sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s:%s)/%s?%s",
		os.Getenv("DB_USER"), os.Getenv("DB_PASSWORD"), os.Getenv("DB_HOST"), os.Getenv("DB_PORT"), os.Getenv("DB_NAME"), words))
	must(err)
	return db
}

// crowd has more clients than there are database connections, all at once.
func crowd(ctx context.Context, words string) ([]*sql.Conn, func()) {
	db := open(words)
	var clients []*sql.Conn
	for range zones {
		conn, err := db.Conn(ctx)
		must(err)
		clients = append(clients, conn)
	}
	return clients, func() {
		for _, conn := range clients {
			must(conn.Close())
		}
		must(db.Close())
	}
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func ask(ctx context.Context, from querier, query string, values ...any) string {
	var answer string
	must(from.QueryRowContext(ctx, query, values...).Scan(&answer))
	return answer
}

func run(ctx context.Context, on querier, query string, values ...any) {
	_, err := on.ExecContext(ctx, query, values...)
	must(err)
}

// Each client sees its own (traps GX-01, MY-45, MY-47).
func settings(ctx context.Context) {
	clients, done := crowd(ctx, "")
	defer done()
	allAtOnce(func(n int) {
		run(ctx, clients[n], fmt.Sprintf("SET time_zone = '%s', @tenant = %d", zones[n], n))
		run(ctx, clients[n], "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
		run(ctx, clients[n], "SET SESSION lock_wait_timeout = ?", 40+n)
	})
	for round := 0; round < rounds; round++ {
		allAtOnce(func(n int) {
			seen := ask(ctx, clients[n], "SELECT CONCAT_WS('|', @@time_zone, @tenant, @@lock_wait_timeout)")
			same(fmt.Sprintf("%s|%d|%d", zones[n], n, 40+n), seen)
		})
	}
}

// Parameters of the DSN that the driver does not know are said as SETs when it connects.
func parameters(ctx context.Context) {
	for _, zone := range zones {
		clients, done := crowd(ctx, "charset=utf8mb4&collation=utf8mb4_unicode_ci&sql_mode=%27ANSI_QUOTES%27&time_zone="+url.QueryEscape("'"+zone+"'"))
		allAtOnce(func(n int) {
			same(zone+"|ANSI_QUOTES|utf8mb4|é", ask(ctx, clients[n], "SELECT CONCAT_WS('|', @@time_zone, @@sql_mode, @@character_set_client, 'é')"))
		})
		done()
	}
}

// Any query with values is prepared, executed and closed (traps MY-60, MY-62, MY-70); or its values are put into it.
func prepared(ctx context.Context) {
	for _, words := range []string{"", "interpolateParams=true"} {
		clients, done := crowd(ctx, words)
		allAtOnce(func(n int) {
			kept, err := clients[n].PrepareContext(ctx, fmt.Sprintf("SELECT %d * 10 + ?, CONCAT(?)", n))
			must(err)
			for round := 0; round < rounds; round++ {
				var number float64
				var text string
				must(kept.QueryRowContext(ctx, round, fmt.Sprint("é ", n)).Scan(&number, &text))
				same(fmt.Sprint(n*10+round, "|é ", n), fmt.Sprint(number, "|", text))
				for k := 0; k < 3; k++ {
					same(fmt.Sprintf("%d%d", n, k), ask(ctx, clients[n], fmt.Sprintf("SELECT CONCAT(%d, ?)", n), k))
				}
				_, err = clients[n].ExecContext(ctx, "SELECT nothing + ?", 1)
				failing(unknown, err)
			}
			must(kept.Close())
		})
		done()
	}
}

// database/sql prepares a statement of a pool again on whichever connection it gets.
func pool(ctx context.Context) {
	db := open("")
	defer db.Close()
	db.SetMaxOpenConns(len(zones))
	pooled, err := db.PrepareContext(ctx, "SELECT CONCAT(?)")
	must(err)
	defer pooled.Close()
	for round := 0; round < 2*rounds; round++ {
		allAtOnce(func(n int) {
			var seen string
			must(pooled.QueryRowContext(ctx, fmt.Sprint(n)).Scan(&seen))
			same(fmt.Sprint(n), seen)
		})
	}
}

// An isolation level is said by SET TRANSACTION ahead of the transaction (trap MY-43); numbers that were generated (trap MY-48).
func transactions(ctx context.Context) {
	db := open("")
	defer db.Close()
	run(ctx, db, "CREATE TABLE numbered (id INT AUTO_INCREMENT PRIMARY KEY, n INT)")
	clients, done := crowd(ctx, "")
	defer done()
	allAtOnce(func(n int) {
		for round := 0; round < rounds; round++ {
			tx, err := clients[n].BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted, ReadOnly: round%2 == 0})
			must(err)
			done, err := tx.ExecContext(ctx, "INSERT INTO numbered (n) VALUES (?)", n)
			if round%2 == 0 {
				failing(readOnly, err)
				must(tx.Rollback())
				continue
			}
			must(err)
			id, err := done.LastInsertId()
			must(err)
			same(fmt.Sprint(id), ask(ctx, tx, "SELECT LAST_INSERT_ID()"))
			run(ctx, tx, "SAVEPOINT s")
			_, err = tx.ExecContext(ctx, "INSERT INTO numbered VALUES (?, ?)", id, n)
			failing(duplicate, err)
			run(ctx, tx, "ROLLBACK TO SAVEPOINT s")
			must(tx.Commit())
			same(fmt.Sprint(round/2+1), ask(ctx, clients[n], "SELECT COUNT(*) FROM numbered WHERE n = ?", n))
		}
	})
	run(ctx, db, "DROP TABLE numbered")
}

// Several statements in one text (trap MY-08), and rows that nobody reads to their end.
func results(ctx context.Context) {
	clients, done := crowd(ctx, "multiStatements=true")
	defer done()
	allAtOnce(func(n int) {
		for round := 0; round < rounds; round++ {
			rows, err := clients[n].QueryContext(ctx, fmt.Sprintf("SELECT %d; SET @n = %d; SELECT @n + 1", n, n))
			must(err)
			var seen []string
			for more := true; more; more = rows.NextResultSet() {
				for rows.Next() {
					var value string
					must(rows.Scan(&value))
					seen = append(seen, value)
				}
			}
			must(rows.Err())
			same([]string{fmt.Sprint(n), fmt.Sprint(n + 1)}, seen)
			many, err := clients[n].QueryContext(ctx, "WITH RECURSIVE s (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < 900) SELECT g FROM s")
			must(err)
			same(true, many.Next())
			must(many.Close())
		}
	})
}

// As migration tools take them (trap MY-47); a name that is a parameter would pin to the end, since it stands nowhere in the text.
func locks(ctx context.Context) {
	clients, done := crowd(ctx, "")
	defer done()
	for n := range clients {
		same("1", ask(ctx, clients[n], "SELECT GET_LOCK('migration', 10)"))
		same(fmt.Sprint(n), ask(ctx, clients[n], "SELECT ?", n))
		same("1", ask(ctx, clients[n], "SELECT RELEASE_LOCK('migration')"))
	}
}
