package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"hakuban"
	"hakuban/transport"
)

//go:embed board.html
var page []byte

// board is a router, the producers, and the web server of the page.
type board struct {
	url       string // of the page
	router    *hakuban.Exchange
	listener  *transport.Listener
	producers *processes
	server    *http.Server
	served    chan struct{} // closed when the server has ended
	stop      context.CancelFunc
	shown     chan struct{} // closed when nothing is shown any more
}

// start starts all of it; script is the file of the client in TypeScript.
func start(address, script string) (*board, error) {
	socket, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	b := &board{url: "http://" + socket.Addr().String(), served: make(chan struct{}), shown: make(chan struct{})}
	host, _, _ := net.SplitHostPort(socket.Addr().String())
	b.router = hakuban.NewExchange(&hakuban.Options{Rebalance: true, RebalanceThreshold: hakuban.DefaultRebalanceThreshold})
	origins := []string{b.url}
	b.listener, err = transport.Listen(b.router, "ws://"+net.JoinHostPort(host, "0")+"#keep-alive=5s", &transport.Options{Logger: quiet, AllowedOrigins: origins})
	if err == nil {
		b.producers, err = newProcesses(b.listener.URL())
	}
	if err != nil {
		b.router.Close()
		_ = socket.Close() // the reason is known
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.stop = cancel
	expose := b.router.ExposeObject(producersObject)
	go func() {
		defer close(b.shown)
		defer expose.Close()
		expose.Each(ctx, b.producers.show)
	}()
	b.server = &http.Server{Handler: http.NewCrossOriginProtection().Handler(b.routes(script)), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(b.served)
		if err := b.server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "the web server ended:", err)
		}
	}()
	list, _ := b.producers.list()
	for _, one := range list {
		if err := b.producers.set(one.Name, true); err != nil {
			b.close()
			return nil, err
		}
	}
	return b, nil
}

func (b *board) close() {
	_ = b.server.Close() // nothing is to be saved
	<-b.served
	b.stop()
	<-b.shown
	b.producers.close()
	b.router.Close()
}

func (b *board) routes(script string) *http.ServeMux {
	mux := http.NewServeMux()
	serve := func(path, kind string, content []byte) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(content) // who asked may be gone
		})
	}
	serve("/{$}", "text/html; charset=utf-8", page)
	settings, _ := json.Marshal(map[string]string{"router": b.listener.URL()}) // two texts
	serve("/board.json", "application/json", settings)
	serve("/instruments.json", "application/json", instrumentsJSON)
	mux.HandleFunc("GET /hakuban.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, script) })
	for verb, running := range map[string]bool{"start": true, "stop": false} {
		mux.HandleFunc("POST /producers/{name}/"+verb, func(w http.ResponseWriter, r *http.Request) {
			if err := b.producers.set(r.PathValue("name"), running); err != nil {
				http.Error(w, err.Error(), http.StatusNotFound)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		})
	}
	return mux
}

// client returns the file of the client in TypeScript, and builds it where it is not there.
func client(ctx context.Context) (string, error) {
	folder := filepath.Join("clients", "typescript")
	file := filepath.Join(folder, "dist", "hakuban.min.js")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if _, err := os.Stat(folder); err != nil {
		return "", fmt.Errorf("run this in the folder of the project: %w", err)
	}
	fmt.Println("Building the client in TypeScript; that happens once.")
	for _, arguments := range [][]string{{"install", "--no-audit", "--no-fund"}, {"run", "build"}} {
		command := exec.CommandContext(ctx, "npm", arguments...)
		command.Dir = folder
		if output, err := command.CombinedOutput(); err != nil {
			return "", fmt.Errorf("npm %s, which needs Node 20: %w\n%s", arguments[0], err, output)
		}
	}
	return file, nil
}

func lastLine(text []byte) []byte {
	text = bytes.TrimSpace(text)
	return text[bytes.LastIndexByte(text, '\n')+1:]
}
