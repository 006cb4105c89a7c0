package main

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParse_WhatIsGood(t *testing.T) {
	defaults := func(change func(*options)) options {
		o := options{binds: []string{defaultBind}, threshold: 0.1}
		change(&o)
		return o
	}
	type env = map[string]string
	for name, c := range map[string]struct {
		environment env
		arguments   []string
		expected    options
	}{
		"Nothing":             {nil, nil, defaults(func(*options) {})},
		"Bind":                {nil, []string{"--bind", "ws://a:1"}, defaults(func(o *options) { o.binds = []string{"ws://a:1"} })},
		"BindEquals":          {nil, []string{"--bind=ws://a:1#name=x"}, defaults(func(o *options) { o.binds = []string{"ws://a:1#name=x"} })},
		"BindShort":           {nil, []string{"-b", "ws://a:1"}, defaults(func(o *options) { o.binds = []string{"ws://a:1"} })},
		"BindShortAttached":   {nil, []string{"-bws://a:1"}, defaults(func(o *options) { o.binds = []string{"ws://a:1"} })},
		"BindTwice":           {nil, []string{"-b", "ws://a:1", "--bind", "ws://b:2"}, defaults(func(o *options) { o.binds = []string{"ws://a:1", "ws://b:2"} })},
		"BindVariable":        {env{"HAKUBAN_BIND": "ws://a:1  ws://b:2#name=x,timeout=1s"}, nil, defaults(func(o *options) { o.binds = []string{"ws://a:1", "ws://b:2#name=x,timeout=1s"} })},
		"BindFlagWins":        {env{"HAKUBAN_BIND": "ws://a:1"}, []string{"-b", "ws://b:2"}, defaults(func(o *options) { o.binds = []string{"ws://b:2"} })},
		"Connect":             {nil, []string{"--connect", "ws://a:1"}, defaults(func(o *options) { o.connect = "ws://a:1" })},
		"ConnectShort":        {nil, []string{"-c", "ws://a:1"}, defaults(func(o *options) { o.connect = "ws://a:1" })},
		"ConnectVariable":     {env{"HAKUBAN_CONNECT": "ws://a:1"}, nil, defaults(func(o *options) { o.connect = "ws://a:1" })},
		"Threads":             {nil, []string{"--threads", "3"}, defaults(func(o *options) { o.threads = 3 })},
		"ThreadsShort":        {nil, []string{"-t", "3"}, defaults(func(o *options) { o.threads = 3 })},
		"ThreadsAttached":     {nil, []string{"-t3"}, defaults(func(o *options) { o.threads = 3 })},
		"ThreadsShortEquals":  {nil, []string{"-t=3"}, defaults(func(o *options) { o.threads = 3 })},
		"ThreadsVariable":     {env{"HAKUBAN_THREADS": "3"}, nil, defaults(func(o *options) { o.threads = 3 })},
		"EmptyVariableIsNone": {env{"HAKUBAN_THREADS": "", "HAKUBAN_BIND": ""}, nil, defaults(func(*options) {})},
		"MonitorTag":          {nil, []string{"--monitor-tag", "x"}, defaults(func(o *options) { o.monitor, o.monitorTag = true, "x" })},
		"MonitorTagEmpty":     {nil, []string{"--monitor-tag", ""}, defaults(func(o *options) { o.monitor = true })},
		"MonitorTagLikeAFlag": {nil, []string{"--monitor-tag", "-t4"}, defaults(func(o *options) { o.monitor, o.monitorTag = true, "-t4" })},
		"MonitorTagVariable":  {env{"HAKUBAN_MONITOR_TAG": "x y"}, nil, defaults(func(o *options) { o.monitor, o.monitorTag = true, "x y" })},
		"Threshold":           {nil, []string{"--rebalance-threshold", "2.5e-1"}, defaults(func(o *options) { o.threshold = 0.25 })},
		"ThresholdZero":       {nil, []string{"--rebalance-threshold", "0"}, defaults(func(o *options) { o.threshold = 0 })},
		"ThresholdVariable":   {env{"HAKUBAN_REBALANCE_THRESHOLD": "7"}, nil, defaults(func(o *options) { o.threshold = 7 })},
		"Secure": {nil, []string{"-b", "wss://a:1", "--certificate", "c", "--key", "k"}, defaults(func(o *options) {
			o.binds, o.certificate, o.key = []string{"wss://a:1"}, "c", "k"
		})},
		"Origins":         {nil, []string{"--allow-origin", "https://a.example", "--allow-origin", "*"}, defaults(func(o *options) { o.allowOrigins = []string{"https://a.example", "*"} })},
		"OriginsVariable": {env{"HAKUBAN_ALLOW_ORIGIN": "https://A.example:443 http://b:8080"}, nil, defaults(func(o *options) { o.allowOrigins = []string{"https://a.example", "http://b:8080"} })},
		"MaxConnections":  {nil, []string{"--max-connections", "9"}, defaults(func(o *options) { o.maxConnections = 9 })},
		"LinkObjects":     {nil, []string{"--link-objects", "9"}, defaults(func(o *options) { o.linkObjects = 9 })},
		"LinkMemory":      {env{"HAKUBAN_LINK_MEMORY": "9"}, nil, defaults(func(o *options) { o.linkMemory = 9 })},
		"LogFormat":       {nil, []string{"--log-format", "json"}, defaults(func(o *options) { o.logJSON = true })},
		"LogFormatWins":   {env{"HAKUBAN_LOG_FORMAT": "json"}, []string{"--log-format", "text"}, defaults(func(*options) {})},
		"LogLevel":        {nil, []string{"--log-level", "warn"}, defaults(func(o *options) { o.logLevel = slog.LevelWarn })},
		"LogLevelDebug":   {env{"HAKUBAN_LOG_LEVEL": "debug"}, nil, defaults(func(o *options) { o.logLevel = slog.LevelDebug })},
		"Record":          {nil, []string{"--record", "f"}, defaults(func(o *options) { o.record = "f" })},
		"RecordVariable":  {env{"HAKUBAN_RECORD": "f"}, nil, defaults(func(o *options) { o.record = "f" })},
		"OneDash":         {nil, []string{"-connect", "ws://a:1"}, defaults(func(o *options) { o.connect = "ws://a:1" })},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := parse(c.arguments, func(name string) string { return c.environment[name] })
			if err != nil {
				t.Fatal(err)
			}
			o.variables = nil // TestProgram_SaysWhatIsRight
			if !reflect.DeepEqual(*o, c.expected) {
				t.Errorf("%+v, expected %+v", *o, c.expected)
			}
		})
	}
}

// Whatever is wrong ends the program with status 2 and one line, which says what is right.
func TestProgram_SaysWhatIsRight(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	full := filepath.Join(t.TempDir(), "full")
	if err := os.WriteFile(full, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	type env = map[string]string
	free := "ws://127.0.0.1:0"
	for name, c := range map[string]struct {
		environment env
		arguments   []string
		says        string
	}{
		"UnknownFlag":         {nil, []string{"--frobnicate"}, `unknown flag "--frobnicate": --help lists the flags`},
		"UnknownShortFlag":    {nil, []string{"-x"}, `unknown flag "-x": --help lists the flags`},
		"StrayArgument":       {nil, []string{"ws://127.0.0.1:1"}, `unexpected argument "ws://127.0.0.1:1": only flags are`},
		"StrayAfterFlags":     {nil, []string{"-t", "1", "x"}, `unexpected argument "x"`},
		"StrayAfterDashes":    {nil, []string{"--", "-t"}, `unexpected argument "-t"`},
		"NoValue":             {nil, []string{"--bind"}, "--bind needs a value: --bind URL"},
		"NoValueShort":        {nil, []string{"-c"}, "--connect needs a value: --connect URL"},
		"SwitchWithValue":     {nil, []string{"--help=no"}, "--help takes no value"},
		"ConnectTwice":        {nil, []string{"-c", "ws://a:1", "--connect", "ws://b:1"}, "--connect is given twice"},
		"ThreadsZero":         {nil, []string{"--threads", "0"}, `--threads "0": a whole number from 1 to 1024 was expected`},
		"ThreadsNegative":     {nil, []string{"--threads", "-1"}, "a whole number from 1 to 1024"},
		"ThreadsWord":         {nil, []string{"-tmany"}, `--threads "many": a whole number from 1 to 1024`},
		"ThreadsHuge":         {nil, []string{"-t", "99999999999999999999999"}, "a whole number from 1 to 1024"},
		"ThreadsVariable":     {env{"HAKUBAN_THREADS": "x"}, nil, `HAKUBAN_THREADS="x": a whole number from 1 to 1024 was expected`},
		"ThresholdNaN":        {nil, []string{"--rebalance-threshold", "NaN"}, "a number from 0 up was expected"},
		"ThresholdNegative":   {nil, []string{"--rebalance-threshold", "-0.1"}, "a number from 0 up was expected"},
		"ThresholdInfinite":   {nil, []string{"--rebalance-threshold", "inf"}, "a number from 0 up was expected"},
		"ThresholdTooGreat":   {nil, []string{"--rebalance-threshold", "1e999"}, "a number from 0 up was expected"},
		"ThresholdWord":       {nil, []string{"--rebalance-threshold", "x"}, "a number from 0 up was expected"},
		"ThresholdVariable":   {env{"HAKUBAN_REBALANCE_THRESHOLD": "nan"}, nil, `HAKUBAN_REBALANCE_THRESHOLD="nan": a number`},
		"MonitorTagBytes":     {nil, []string{"--monitor-tag", "\xff"}, "text in UTF-8 was expected"},
		"LogFormat":           {nil, []string{"--log-format", "xml"}, `--log-format "xml": text or json was expected`},
		"LogFormatVariable":   {env{"HAKUBAN_LOG_FORMAT": "yaml"}, nil, `HAKUBAN_LOG_FORMAT="yaml": text or json was expected`},
		"LogLevel":            {nil, []string{"--log-level", "loud"}, "debug, info, warn or error was expected"},
		"MaxConnectionsZero":  {nil, []string{"--max-connections", "0"}, "a whole number from 1 to 1000000"},
		"LinkObjectsWord":     {nil, []string{"--link-objects", "many"}, "a whole number from 1 to 1073741824"},
		"LinkMemoryZero":      {nil, []string{"--link-memory", "0"}, "a whole number from 1 to 1048576"},
		"LinkMemoryTooMuch":   {nil, []string{"--link-memory", "1048577"}, "a whole number from 1 to 1048576"},
		"OriginWithPath":      {nil, []string{"--allow-origin", "https://example.com/x"}, "an origin such as https://example.com, or *, was expected"},
		"OriginWithoutScheme": {nil, []string{"--allow-origin", "example.com"}, "an origin such as https://example.com"},
		"OriginNotASCII":      {nil, []string{"--allow-origin", "https://bücher.example"}, `--allow-origin "https://bücher.example": an origin in punycode`},
		"CertificateAlone":    {nil, []string{"--certificate", "c", "-b", "wss://127.0.0.1:0"}, "--certificate without --key: give both"},
		"KeyAlone":            {nil, []string{"--key", "k"}, "--key without --certificate: give both"},
		"CertificateForNone":  {nil, []string{"--certificate", "c", "--key", "k"}, "--certificate without a --bind that begins with wss://"},
		"SecureWithout":       {nil, []string{"-b", "wss://127.0.0.1:0"}, "wss needs --certificate and --key"},
		"CertificateMissing":  {nil, []string{"-b", "wss://127.0.0.1:0", "--certificate", full + "1", "--key", full}, "no such file"},
		"CertificateBad":      {nil, []string{"-b", "wss://127.0.0.1:0", "--certificate", full, "--key", full}, "--certificate"},
		"BindEmpty":           {nil, []string{"--bind", ""}, "a URL such as ws://127.0.0.1:3001 was expected"},
		"BindScheme":          {nil, []string{"-b", "http://127.0.0.1:1"}, "ws or wss was expected"},
		"BindNoHost":          {nil, []string{"-b", "ws://:3001"}, "no host"},
		"BindNoPort":          {nil, []string{"-b", "ws://127.0.0.1"}, "no port; 0 lets the system choose one"},
		"BindBadPort":         {nil, []string{"-b", "ws://127.0.0.1:99999"}, `bad port "99999"`},
		"BindNotAURL":         {nil, []string{"-b", "ws://[::1"}, "missing ']' in host"},
		"BindLines":           {nil, []string{"-b", "ws://127.0.0.1:0#name\n\n"}, "has no value"},
		"BindParameter":       {nil, []string{"-b", free + "#frob=1"}, "timeout, keep-alive, nodelay, name and load-limit are known"},
		"BindParameterTwice":  {nil, []string{"-b", free + "#name=a,name=b"}, "given twice"},
		"BindDuration":        {nil, []string{"-b", free + "#timeout=soon"}, "where a number was expected"},
		"BindSecondIsBad":     {nil, []string{"-b", free, "-b", "ws://127.0.0.1"}, "no port"},
		"BindInUse":           {nil, []string{"-b", "ws://" + busy.Addr().String()}, "the port is in use"},
		"BindInUseWithOthers": {nil, []string{"-b", free, "-c", "ws://127.0.0.1:9", "-b", "ws://" + busy.Addr().String()}, "the port is in use"},
		"BindNotHere":         {nil, []string{"-b", "ws://192.0.2.1:0"}, "no interface of this machine has that address"},
		"BindVariable":        {env{"HAKUBAN_BIND": free + " tcp://x:1"}, nil, `router: HAKUBAN_BIND: URL "tcp://x:1"`},
		"ConnectScheme":       {nil, []string{"-b", free, "--connect", "127.0.0.1:3001"}, "--connect"},
		"ConnectPortZero":     {nil, []string{"-b", free, "--connect", "ws://127.0.0.1:0"}, "port 0"},
		"ConnectLoadLimit":    {nil, []string{"-b", free, "--connect", "ws://127.0.0.1:9#load-limit=-1"}, "load"},
		"ConnectToItself":     {nil, []string{"-b", free, "-b", "ws://127.0.0.1:9#name=a", "-c", "ws://127.0.0.1:9/#name=b"}, `--connect "ws://127.0.0.1:9/#name=b": that is --bind, another router was expected`},
		"ConnectToDefault":    {env{"HAKUBAN_CONNECT": defaultBind}, nil, "HAKUBAN_CONNECT \"ws://127.0.0.1:3001\": that is --bind"},
		"ConnectName":         {nil, []string{"-b", free, "--connect", "ws://127.0.0.1:9#name=" + strings.Repeat("n", 70_000)}, "a link's name of 70000 bytes, at most 65536"},
		"BindName":            {nil, []string{"-b", free + "#name=" + strings.Repeat("n", 70_000)}, "a link's name of 70000 bytes, at most 65536"},
		"ConnectVariable":     {env{"HAKUBAN_CONNECT": "x", "HAKUBAN_BIND": free}, nil, `router: HAKUBAN_CONNECT: URL "x"`},
		"RecordEmpty":         {nil, []string{"--record", ""}, "a file name was expected"},
		"RecordNoFolder":      {nil, []string{"-b", free, "--record", filepath.Join(full, "x")}, "a file that can be written was expected"},
		"RecordFolder":        {nil, []string{"-b", free, "--record", filepath.Dir(full)}, "a file that can be written was expected"},
		"RecordVariable":      {env{"HAKUBAN_RECORD": full, "HAKUBAN_BIND": free}, nil, "router: HAKUBAN_RECORD "},
		"BindInUseVariable":   {env{"HAKUBAN_BIND": "ws://" + busy.Addr().String()}, nil, "router: HAKUBAN_BIND "},
		"CertificateVariable": {env{"HAKUBAN_CERTIFICATE": full + "1", "HAKUBAN_KEY": full, "HAKUBAN_BIND": "wss://127.0.0.1:0"}, nil, "router: HAKUBAN_CERTIFICATE "},
		"RecordHasContent":    {nil, []string{"-b", free, "--record", full}, "has content already: name another"},
	} {
		t.Run(name, func(t *testing.T) {
			got := execute(t, c.environment, c.arguments...)
			if got.status != exitUsage || got.stdout != "" {
				t.Errorf("status %d, stdout %q, expected %d and nothing", got.status, got.stdout, exitUsage)
			}
			line, ended := strings.CutSuffix(got.stderr, "\n")
			if !ended || strings.Contains(line, "\n") || !strings.HasPrefix(line, "hakuban-router: ") || !strings.Contains(line, c.says) {
				t.Errorf("stderr is %q, expected one line with %q", got.stderr, c.says)
			}
		})
	}
}

func TestProgram_HelpTeaches(t *testing.T) {
	for _, flag := range []string{"--help", "-h", "-help"} {
		got := execute(t, nil, flag, "--threads", "2")
		if got.status != exitDrained || got.stderr != "" {
			t.Errorf("%s: status %d, stderr %q", flag, got.status, got.stderr)
		}
		for _, spec := range flagSpecs {
			if !strings.Contains(got.stdout, "--"+spec.name) {
				t.Errorf("%s does not mention --%s", flag, spec.name)
			}
		}
		for _, word := range []string{"Examples:", "load-limit", "HAKUBAN_BIND", "SIGUSR2", "status 2", "simulate replay"} {
			if !strings.Contains(got.stdout, word) {
				t.Errorf("%s does not mention %s", flag, word)
			}
		}
		for line := range strings.Lines(got.stdout) {
			if len(line) > 91 {
				t.Errorf("%s has a line of %d characters: %s", flag, len(line), line)
			}
		}
	}
}

func TestProgram_Version(t *testing.T) {
	for _, flag := range []string{"--version", "-V"} {
		if got := execute(t, nil, flag); got.status != exitDrained || !strings.HasPrefix(got.stdout, "hakuban-router ") || !strings.Contains(got.stdout, "0.8.5") {
			t.Errorf("%s: %+v", flag, got)
		}
	}
}
