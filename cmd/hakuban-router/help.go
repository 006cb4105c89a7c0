package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

const helpHead = `hakuban-router joins hakuban exchanges in a tree.

Programs that expose or observe objects link to it over websockets. For each
object that somebody observes the router elects one of those who expose it, and
carries its newest state to the observers. Routers link to routers.

Usage: hakuban-router [FLAGS]

`

const helpTail = `
Each flag but the last two can be given as an environment variable instead:
HAKUBAN_BIND, HAKUBAN_MONITOR_TAG and so on. The flag wins. Where several values
may be given, the variable has them separated by spaces.

URLs are ws://HOST:PORT or wss://HOST:PORT. Parameters of their links follow
after a #, as KEY=VALUE with commas between:
  timeout     silence of the peer that ends a link (120s)
  keep-alive  own silence after which to send something (60s)
  nodelay     true, or false for Nagle's algorithm (true)
  name        what this end is called in the peer's monitor (router, go-client)
  load-limit  with --connect: how much load upstream may give; points in time
              with dashes between, such as 2s:0-2s:5-5s:7, or one number
A wss upstream must have a certificate that the system trusts, or one in the
file that the environment variable SSL_CERT_FILE names.

Examples:
  hakuban-router
      listens on 127.0.0.1:3001, for this machine only
  hakuban-router --bind ws://0.0.0.0:3001 --monitor-tag router
      listens on all addresses; observe the tag "router" to watch it
  hakuban-router --bind ws://[::1]:3001 --bind wss://0.0.0.0:3002 \
      --certificate chain.pem --key key.pem
      listens twice, once with TLS
  hakuban-router --connect 'wss://example.com#name=hut,timeout=30s,keep-alive=10s'
      has an upstream, which shows it as "hut", and notices soon when it is gone

A line on stdin, or SIGUSR2, prints what the router sees to stderr. SIGINT and
SIGTERM end it: it closes its links and exits with status 0. SIGHUP has it read
the files of tokens, keys, certificates and rules again: all of them come into
force, or none. On a terminal SIGHUP ends the router. What cannot be done as told
ends it with one line on stderr and status 2.
`

// helpText is what --help prints.
func helpText() string {
	var b strings.Builder
	b.WriteString(helpHead)
	b.WriteString("Flags:\n")
	for _, spec := range flagSpecs {
		b.WriteString("  ")
		if spec.short != "" {
			fmt.Fprintf(&b, "-%s, ", spec.short)
		} else {
			b.WriteString("    ")
		}
		fmt.Fprintf(&b, "--%s", spec.name)
		if spec.argument != "" {
			b.WriteString(" " + spec.argument)
		}
		for line := range strings.SplitSeq(spec.help, "\n") {
			b.WriteString("\n          " + line)
		}
		b.WriteString("\n")
	}
	b.WriteString(helpTail)
	return b.String()
}

// versionText is what --version prints.
func versionText() string {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				version += " " + setting.Value
			}
		}
	}
	return fmt.Sprintf("hakuban-router %s, for the wire of hakuban 0.8.5, built with %s for %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
