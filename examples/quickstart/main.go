// Command quickstart shows two processes that share an object through a router. It starts a router, an exposer and an observer, as
// processes of their own and in random order, shows each state as it arrives, and ends by itself: with status 0 when all states
// arrived, else with a reason. exposer.go and observer.go have what a program of yours would have.
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"
)

// patience bounds the whole show; it takes about a second, most of it for building the router.
const patience = 60 * time.Second

func main() {
	ctx, cancel := context.WithTimeoutCause(context.Background(), patience, fmt.Errorf("it was not done after %v", patience))
	defer cancel()
	log.SetFlags(0) // show adds the time
	var err error
	switch role, url := role(); role {
	case "exposer":
		err = exposer(ctx, url)
	case "observer":
		err = observer(ctx, url)
	default:
		err = show(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}

// role is what this process is to be, and the router's URL.
func role() (role, url string) {
	if len(os.Args) == 3 {
		return os.Args[1], os.Args[2]
	}
	return "", ""
}
