// Go's drivers through Sluice: one driver and scenario by scenario, found by libpq's environment.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"sync"
	"time"
)

// One time zone for each client of a crowd: no two alike, and more than there are connections.
var zones = []string{
	"Asia/Tokyo", "America/New_York", "Europe/Berlin", "Pacific/Auckland",
	"Africa/Cairo", "Asia/Kolkata", "America/Sao_Paulo", "Australia/Perth",
}

const rounds = 4

var drivers = map[string]map[string]func(context.Context){"pq": pqScenarios, "pgx": pgxScenarios}

func main() {
	for names := bufio.NewScanner(os.Stdin); names.Scan(); {
		play(names.Text(), drivers[os.Args[1]])
	}
}

func play(name string, scenarios map[string]func(context.Context)) {
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

// failing checks that this error, of the driver's own type, has come with this SQLSTATE.
func failing(code string, err error) {
	var told interface{ SQLState() string }
	if !errors.As(err, &told) || told.SQLState() != code {
		panic(fmt.Sprintf("expected %s, not %v", code, err))
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

// printVersion asks Debian: the drivers themselves do not tell.
func printVersion(packageName string) {
	out, err := exec.Command("dpkg-query", "--show", "--showformat", "${source:Upstream-Version}", packageName).Output()
	must(err)
	fmt.Println(string(out))
}
