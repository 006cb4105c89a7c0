package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"hakuban"
	"hakuban/transport"
)

// options are what the command line and the environment say.
type options struct {
	binds          []string
	connect        string
	threads        int // 0: as many as the system has
	monitor        bool
	monitorTag     string
	threshold      float64
	certificate    string
	key            string
	allowOrigins   []string
	maxConnections int // of each bound URL; 0: the transport's default
	linkObjects    int // 0: the library's default, likewise below
	linkMemory     int // MiB
	logJSON        bool
	logLevel       slog.Level
	record         string

	// Files, and what else says who may link and what each may do; "": none.
	tokens, jwtKeys, jwtIssuer, jwtAudience, clientCA, rules string
	// Files that say what upstream is shown and must show.
	connectToken, connectCertificate, connectKey, connectCA string

	help    bool
	version bool

	variables map[string]bool // flags that were given as environment variables
}

// called is what the user called a flag: an error is about that.
func (o *options) called(flag string) string {
	if o.variables[flag] {
		return findFlag(flag).variable()
	}
	return "--" + flag
}

const (
	defaultBind       = "ws://127.0.0.1:3001"
	mostThreads       = 1024
	mostConnections   = 1_000_000
	mostLinkObjects   = 1 << 30
	mostLinkMemory    = 1 << 20 // MiB
	environmentPrefix = "HAKUBAN_"
)

// flagSpec is one flag: how it is written, what help says of it, what it does. Its environment variable is its name.
type flagSpec struct {
	name     string
	short    string
	argument string // "": a switch, which takes none and has no variable
	repeat   bool   // may be given several times; in the variable, separated by spaces
	help     string
	set      func(o *options, value string) error // the error says what was expected
}

func (f *flagSpec) variable() string {
	return environmentPrefix + strings.ToUpper(strings.ReplaceAll(f.name, "-", "_"))
}

// flagSpecs are in the order of the help text.
var flagSpecs = []*flagSpec{
	{name: "bind", short: "b", argument: "URL", repeat: true,
		help: "Where to listen for downstream links; several may be given. A port is\nneeded, 0 lets the system choose. Default: " + defaultBind,
		set:  func(o *options, v string) error { return setNonEmpty(&o.binds, v, "a URL such as "+defaultBind) }},
	{name: "connect", short: "c", argument: "URL",
		help: "The upstream to link to, and to link to again whenever that link is lost.",
		set:  func(o *options, v string) error { return setText(&o.connect, v, "a URL such as ws://10.0.0.1:3001") }},
	{name: "threads", short: "t", argument: "N",
		help: "How many threads run at a time. Default: as many as there are cores.",
		set:  func(o *options, v string) error { return setNumber(&o.threads, v, mostThreads) }},
	{name: "monitor-tag", argument: "TAG",
		help: "Expose what the router sees, about once a second while somebody observes, as\nthe objects \"exchange\", \"websocket-listener\" and, with --connect,\n\"websocket-connector\" with this tag, in JSON.",
		set: func(o *options, v string) error {
			if !utf8.ValidString(v) {
				return errors.New("text in UTF-8 was expected")
			}
			o.monitor, o.monitorTag = true, v
			return nil
		}},
	{name: "rebalance-threshold", argument: "F",
		help: fmt.Sprintf("By how much the load of an exposer must exceed what another's would become\nfor an object to move there. Default: %v", hakuban.DefaultRebalanceThreshold),
		set:  setThreshold},
	{name: "certificate", argument: "FILE",
		help: "The certificate chain (PEM) of the URLs bound with wss.",
		set:  func(o *options, v string) error { return setText(&o.certificate, v, "a file name") }},
	{name: "key", argument: "FILE",
		help: "The private key (PEM) of the certificate.",
		set:  func(o *options, v string) error { return setText(&o.key, v, "a file name") }},
	{name: "allow-origin", argument: "ORIGIN", repeat: true,
		help: "A web site whose scripts may link, such as https://example.com, or * for any;\nseveral may be given. Programs may without, and so may scripts from the router's\nown host if that is an IP address, localhost, or the host in the bound URL.",
		set:  setOrigin},
	fileFlag("tokens", func(o *options) *string { return &o.tokens },
		"Who may link: lines of a name and the SHA-256 of a token, such as\n\"ann sha256:9f86d0…\". Peers show the token in the header\n\"Authorization: Bearer TOKEN\", or in the query of the URL, \"?token=TOKEN\"."),
	fileFlag("jwt-keys", func(o *options) *string { return &o.jwtKeys },
		"Who may link: public keys (PEM) of Ed25519 or RSA. Peers show JSON Web Tokens\nthat are signed by one of them; the subject is the name. They must expire."),
	{name: "jwt-issuer", argument: "TEXT", help: "The issuer that JSON Web Tokens must have. Default: any",
		set: func(o *options, v string) error { return setText(&o.jwtIssuer, v, "an issuer") }},
	{name: "jwt-audience", argument: "TEXT", help: "The audience that JSON Web Tokens must have. Default: any",
		set: func(o *options, v string) error { return setText(&o.jwtAudience, v, "an audience") }},
	fileFlag("client-ca", func(o *options) *string { return &o.clientCA },
		"Who may link with wss: certificates (PEM) that client certificates must come\nfrom. The first URI, DNS name or email address in one is the name."),
	fileFlag("rules", func(o *options) *string { return &o.rules },
		"What each name may observe and expose, in JSON; docs/security.md has the form.\nDefault: whoever may link may do everything."),
	fileFlag("connect-token", func(o *options) *string { return &o.connectToken },
		"The token that upstream is shown, in a file."),
	fileFlag("connect-certificate", func(o *options) *string { return &o.connectCertificate },
		"The certificate chain (PEM) that upstream is shown."),
	fileFlag("connect-key", func(o *options) *string { return &o.connectKey },
		"The private key (PEM) of that certificate."),
	fileFlag("connect-ca", func(o *options) *string { return &o.connectCA },
		"Certificates (PEM) that upstream's must come from. Default: those that the\nsystem trusts."),
	{name: "max-connections", argument: "N",
		help: "How many connections each bound URL may have at a time. Default: 65536",
		set:  func(o *options, v string) error { return setNumber(&o.maxConnections, v, mostConnections) }},
	{name: "link-objects", argument: "N",
		help: "How many objects and tags one link may observe and expose. A link that goes\nbeyond ends. All links together may make the router ask its upstream for as\nmany; beyond that, the link that takes most ends. Set it to what the upstream\nallows one link, or less. Default: 1048576",
		set:  func(o *options, v string) error { return setNumber(&o.linkObjects, v, mostLinkObjects) }},
	{name: "link-memory", argument: "MIB",
		help: "How much memory one link may make the router take, in MiB: what it asks for, and\nthe states that it sends. All links together may make the router's upstream hold\nas much; see --link-objects. Default: 1024",
		set:  func(o *options, v string) error { return setNumber(&o.linkMemory, v, mostLinkMemory) }},
	{name: "log-format", argument: "FORMAT",
		help: "text or json. Default: text",
		set: func(o *options, v string) error {
			return choose(v, []string{"text", "json"}, func(i int) { o.logJSON = i == 1 })
		}},
	{name: "log-level", argument: "LEVEL",
		help: "debug, info, warn or error. Default: info",
		set: func(o *options, v string) error {
			levels := []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
			return choose(v, []string{"debug", "info", "warn", "error"}, func(i int) { o.logLevel = levels[i] })
		}},
	{name: "record", argument: "FILE",
		help: "Write each input of the router to this file, before it is acted on, so that\nthe run can be replayed with `simulate replay FILE`. The file holds all data\nthat passes, and grows by it. One that has content is not overwritten.",
		set:  func(o *options, v string) error { return setText(&o.record, v, "a file name") }},
	{name: "help", short: "h", help: "Print this text.",
		set: func(o *options, _ string) error { o.help = true; return nil }},
	{name: "version", short: "V", help: "Print the version.",
		set: func(o *options, _ string) error { o.version = true; return nil }},
}

// fileFlag is a flag that names a file.
func fileFlag(name string, field func(*options) *string, help string) *flagSpec {
	return &flagSpec{name: name, argument: "FILE", help: help, set: func(o *options, v string) error { return setText(field(o), v, "a file name") }}
}

// parse reads the command line and, for flags that are not on it, the environment. The error is one line that says what is right.
func parse(arguments []string, environment func(string) string) (*options, error) {
	o := &options{threshold: hakuban.DefaultRebalanceThreshold, variables: map[string]bool{}}
	set := flag.NewFlagSet("hakuban-router", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	given := map[*flagSpec]*givenFlag{}
	for _, spec := range flagSpecs {
		given[spec] = &givenFlag{spec: spec, options: o}
		set.Var(given[spec], spec.name, spec.help)
		if spec.short != "" {
			set.Var(given[spec], spec.short, spec.help)
		}
	}
	if err := set.Parse(detachShort(arguments)); err != nil {
		for _, g := range given {
			if g.err != nil {
				return nil, g.err // in our words
			}
		}
		return nil, explain(err)
	}
	if o.help || o.version {
		return o, nil
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q: only flags are, --help lists them", set.Arg(0))
	}
	for _, spec := range flagSpecs {
		if given[spec].times == 0 && spec.argument != "" {
			if err := fromEnvironment(o, spec, environment(spec.variable())); err != nil {
				return nil, err
			}
		}
	}
	if len(o.binds) == 0 {
		o.binds = []string{defaultBind}
	}
	if slices.ContainsFunc(o.binds, o.isUpstream) {
		return nil, fmt.Errorf("%s %q: that is %s, another router was expected", o.called("connect"), transport.RedactURL(o.connect), o.called("bind"))
	}
	return o, first(o.checkCertificate(), o.checkTrust())
}

// isUpstream says whether a bound URL is the one to connect to, as far as their hosts and ports tell.
func (o *options) isUpstream(bind string) bool {
	bound, _ := url.Parse(strings.TrimSpace(bind)) // what is no URL is told later
	upstream, _ := url.Parse(strings.TrimSpace(o.connect))
	return bound != nil && upstream != nil && upstream.Host != "" && strings.EqualFold(bound.Host, upstream.Host) && bound.Port() != "0"
}

// checkCertificate holds certificate, key and the bound URLs against each other.
func (o *options) checkCertificate() error {
	secure := slices.IndexFunc(o.binds, isSecure)
	switch {
	case o.certificate != "" && o.key == "":
		return fmt.Errorf("%s without --key: give both", o.called("certificate"))
	case o.certificate == "" && o.key != "":
		return fmt.Errorf("%s without --certificate: give both", o.called("key"))
	case secure >= 0 && o.certificate == "":
		return fmt.Errorf("%s %q: wss needs --certificate and --key", o.called("bind"), o.binds[secure])
	case secure < 0 && o.certificate != "":
		return fmt.Errorf("%s without a --bind that begins with wss://", o.called("certificate"))
	}
	return nil
}

func isSecure(bind string) bool {
	scheme, _, _ := strings.Cut(strings.TrimSpace(bind), ":")
	return strings.EqualFold(scheme, "wss")
}

func fromEnvironment(o *options, spec *flagSpec, value string) error {
	values := []string{value}
	if spec.repeat {
		values = strings.Fields(value)
	}
	for _, v := range values {
		if value == "" {
			break // as if it were not there
		}
		if err := spec.set(o, v); err != nil {
			return fmt.Errorf("%s=%q: %w", spec.variable(), v, err)
		}
		o.variables[spec.name] = true
	}
	return nil
}

// givenFlag is a flag's value on the command line.
type givenFlag struct {
	spec    *flagSpec
	options *options
	times   int
	err     error
}

// Set implements flag.Value.
func (g *givenFlag) Set(value string) error {
	g.times++
	switch {
	case g.spec.argument == "" && value != "true":
		g.err = fmt.Errorf("--%s takes no value", g.spec.name)
	case g.times > 1 && !g.spec.repeat && g.spec.argument != "":
		g.err = fmt.Errorf("--%s is given twice: once was expected", g.spec.name)
	default:
		if err := g.spec.set(g.options, value); err != nil {
			g.err = fmt.Errorf("--%s %q: %w", g.spec.name, value, err)
		}
	}
	return g.err
}

func (g *givenFlag) String() string { return "" }

// IsBoolFlag tells package flag that a switch takes no value.
func (g *givenFlag) IsBoolFlag() bool { return g.spec.argument == "" }

// explain puts an error of package flag in our words.
func explain(err error) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return fmt.Errorf("unknown flag %q: --help lists the flags", dashes(name)+name)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		for _, spec := range flagSpecs {
			if name == spec.name || name == spec.short {
				return fmt.Errorf("--%s needs a value: --%s %s", spec.name, spec.name, spec.argument)
			}
		}
	}
	return fmt.Errorf("%s: --help lists the flags", text)
}

func dashes(name string) string {
	if len(name) == 1 {
		return "-"
	}
	return "--"
}

// detachShort turns -t4 into -t=4, as the reference takes it and package flag does not.
func detachShort(arguments []string) []string {
	arguments = slices.Clone(arguments)
	for i := 0; i < len(arguments); i++ {
		text, dashed := strings.CutPrefix(arguments[i], "-")
		if !dashed || text == "" || text == "-" {
			break // no flags from here on
		}
		long := strings.TrimPrefix(text, "-")
		name, _, valued := strings.Cut(long, "=")
		spec := findFlag(name)
		switch {
		case spec != nil && spec.argument != "" && !valued:
			i++ // the next one is its value
		case spec == nil && long == text:
			if short := findFlag(text[:1]); short != nil && short.argument != "" {
				arguments[i] = "-" + text[:1] + "=" + text[1:]
			}
		}
	}
	return arguments
}

func findFlag(name string) *flagSpec {
	for _, spec := range flagSpecs {
		if name == spec.name || name == spec.short && name != "" {
			return spec
		}
	}
	return nil
}

func setText(target *string, value, expected string) error {
	if value == "" {
		return fmt.Errorf("%s was expected", expected)
	}
	*target = value
	return nil
}

func setNonEmpty(target *[]string, value, expected string) error {
	if value == "" {
		return fmt.Errorf("%s was expected", expected)
	}
	*target = append(*target, value)
	return nil
}

func setNumber(target *int, value string, most int) error {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil || n < 1 || n > uint64(most) {
		return fmt.Errorf("a whole number from 1 to %d was expected", most)
	}
	*target = int(n)
	return nil
}

func setThreshold(o *options, value string) error {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || !(f >= 0) || math.IsInf(f, 0) {
		return errors.New("a number from 0 up was expected, such as 0.1")
	}
	o.threshold = f
	return nil
}

func setOrigin(o *options, value string) error {
	origin, err := transport.ParseOrigin(value)
	if err == nil {
		o.allowOrigins = append(o.allowOrigins, origin)
	}
	return err
}

// choose calls chosen with the index of a value among those there are.
func choose(value string, all []string, chosen func(int)) error {
	i := slices.Index(all, value)
	if i < 0 {
		return fmt.Errorf("%s or %s was expected", strings.Join(all[:len(all)-1], ", "), all[len(all)-1])
	}
	chosen(i)
	return nil
}
