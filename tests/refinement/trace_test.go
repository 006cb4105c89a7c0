package refinement

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hakuban/internal/race"
	"hakuban/model"
)

// tracesOfEach decides how long TLC takes: half a second each on a slow core.
var tracesOfEach = flag.Int("traces", 15, "walks of 60 states in each configuration that TLC is to accept")

const (
	traceLines    = 60 // states
	corruptedEach = 3  // per configuration
)

// trace is a walk of real cores as TLC is to see it.
type trace struct {
	states  []model.State
	actions []string // actions[i] leads to states[i+1]
}

// TestTrace_TLCAcceptsWhatTheCoresDid writes walks as TLA+ literals, some of them corrupted in one place, and has TLC say
// for each whether the specification allows every line, and if not, which is the first that it does not.
func TestTrace_TLCAcceptsWhatTheCoresDid(t *testing.T) {
	if testing.Short() || race.Enabled {
		t.Skip("TLC takes half a minute")
	}
	jar := tlcJar(t)
	accepted, rejected := 0, 0
	for index, c := range model.Configurations() {
		m := parametric(c.Model)
		var traces []trace
		for seed := uint64(1000); len(traces) < max(*tracesOfEach, 2*corruptedEach); seed++ {
			states, actions, err := walk(m, seed, 4*traceLines, make(map[string]int))
			if err != nil {
				t.Fatal(err)
			}
			if len(states) >= traceLines {
				traces = append(traces, trace{states[:traceLines], actions[:traceLines-1]})
			}
		}
		want := corrupt(m, traces[len(traces)-corruptedEach:], rand.New(rand.NewPCG(uint64(index), 3)), len(traces)-corruptedEach)
		got := runTLC(t, jar, c.Name, m, traces)
		if !slices.Equal(got, want) {
			t.Errorf("%s: TLC rejects (trace, line) %v; corrupted are %v", c.Name, got, want)
		}
		accepted, rejected = accepted+len(traces)-len(got), rejected+len(got)
	}
	t.Logf("TLC accepted %d traces of %d lines, and rejected %d corrupted ones at the right line", accepted, traceLines, rejected)
}

// place is a line of a trace, both counted from 1 as TLA+ does.
type place struct{ trace, line int }

// corrupt changes one line of each trace, of one of them the first line, into one that the twin does not allow, and returns
// the places.
func corrupt(m *model.Model, traces []trace, random *rand.Rand, offset int) (places []place) {
	for i := range traces {
		for {
			states := slices.Clone(traces[i].states)
			line := 0
			if i > 0 {
				line = 1 + random.IntN(len(states)-1)
			}
			states[line] = damaged(states[line], random)
			if !allowed(m, states, line) {
				traces[i].states = states
				places = append(places, place{offset + i + 1, line + 1})
				break
			}
		}
	}
	return places
}

// allowed reports whether the twin has a line after the one before it, or begins with it.
func allowed(m *model.Model, states []model.State, line int) bool {
	if line == 0 {
		return m.Equal(states[0], m.Empty())
	}
	_, err := refineAny(m, states[line-1], states[line])
	return err == nil
}

// refineAny is refine by whatever action.
func refineAny(m *model.Model, before, after model.State) (string, error) {
	var all []model.Action
	for action := model.Open; action < model.Withdraw; action++ {
		all = append(all, action)
	}
	return refine(m, before, after, all)
}

// damaged changes one thing in a copy of a state.
func damaged(s model.State, random *rand.Rand) model.State {
	s.Nodes, s.Links = slices.Clone(s.Nodes), slices.Clone(s.Links)
	n := random.IntN(len(s.Nodes))
	N := *s.Nodes[n]
	switch random.IntN(4) {
	case 0:
		N.Held = slices.Clone(N.Held)
		N.Held[0].Now = !N.Held[0].Now
	case 1:
		N.Elected = slices.Clone(N.Elected)
		if N.Elected[0] = (model.Elected{Who: model.Upstream}); s.Nodes[n].Elected[0] == N.Elected[0] {
			N.Elected[0] = model.Elected{}
		}
	case 2:
		l := random.IntN(len(s.Links))
		L := *s.Links[l]
		if len(L.Up) > 0 {
			L.Up = L.Up[1:]
		}
		s.Links[l] = &L
	case 3:
		N.Told = slices.Clone(N.Told)
		N.Told[0].Observes = !N.Told[0].Observes
	}
	s.Nodes[n] = &N
	return s
}

// tlcJar is TLC as spec/tlc.sh fetched it.
func tlcJar(t *testing.T) string {
	t.Helper()
	jars, err := filepath.Glob("../../.cache/tlc/*.jar")
	if _, missing := exec.LookPath("java"); err == nil && missing != nil {
		err = missing
	}
	if err == nil && len(jars) == 0 {
		err = fmt.Errorf("TLC has not been fetched (spec/tlc.sh does): %w", fs.ErrNotExist)
	}
	if err != nil {
		if os.Getenv("HAKUBAN_REQUIRE_TLC") == "1" {
			t.Fatal(err)
		}
		t.Skipf("%v (HAKUBAN_REQUIRE_TLC=1 makes this a failure)", err)
	}
	jar, err := filepath.Abs(jars[0])
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

var verdict = regexp.MustCompile(`<<"(accepted|rejected)", (\d+), (\d+)>>`)

// runTLC returns the places that TLC rejects. It must say of each trace that it followed it to its end, or where it did not.
func runTLC(t *testing.T, jar, name string, m *model.Model, traces []trace) (places []place) {
	t.Helper()
	folder := t.TempDir()
	specification, err := os.ReadFile("../../spec/hakuban.tla")
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string][]byte{"hakuban.tla": specification, "Trace.tla": traceModule(m, traces), "Trace.cfg": []byte(traceConfiguration)} {
		if err := os.WriteFile(filepath.Join(folder, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("java", "-XX:+UseSerialGC", "-Xmx2g", "-Xss64m", "-cp", jar, "tlc2.TLC", "-workers", "1", "-deadlock", "-config", "Trace.cfg", "Trace.tla")
	command.Dir = folder
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || !bytes.Contains(output, []byte("No error has been found")) {
		t.Fatalf("%s: TLC: %v\n%.4000s", name, err, output)
	}
	verdicts := make(map[int]string)
	for _, match := range verdict.FindAllStringSubmatch(string(output), -1) {
		at, _ := strconv.Atoi(match[2])
		line, _ := strconv.Atoi(match[3])
		if said, again := verdicts[at]; again && said != match[0] {
			t.Fatalf("%s: TLC says %s and %s", name, said, match[0])
		}
		verdicts[at] = match[0]
		switch length := len(traces[at-1].states); {
		case match[1] == "rejected":
			places = append(places, place{at, line})
		case line != length:
			t.Fatalf("%s: TLC says %s of a trace of %d lines", name, match[0], length)
		}
	}
	if len(verdicts) != len(traces) {
		t.Fatalf("%s: TLC says something of %d traces, there are %d\n%.4000s", name, len(verdicts), len(traces), output)
	}
	slices.SortFunc(places, func(a, b place) int { return a.trace - b.trace })
	return slices.Compact(places)
}

const traceConfiguration = `CONSTANTS
  Exchanges <- TExchanges
  Links <- TLinks
  UpstreamEnd <- TUpstreamEnd
  DownstreamEnd <- TDownstreamEnd
  Objects <- TObjects
  Tags <- TTags
  TagsOf <- TTagsOf
  Contracts <- TContracts
  At <- TAt
  Kind <- TKind
  On <- TOn
  Capacities <- TCapacities
  States <- TStates
  Version <- TVersion
  Limit <- TLimit
  Ordered <- TOrdered
  Loads <- TLoads
  Limited <- TLimited
  Threshold <- TThreshold
  Chunked = TRUE
  Rights <- TRights
  Sliced = FALSE
INIT TInit
NEXT TNext
`

// traceModule is the traces as a TLA+ module: of each line, the action and what it changed.
func traceModule(m *model.Model, traces []trace) []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, "---- MODULE Trace ----\nEXTENDS hakuban, TLC\nVARIABLES trace, line\n")
	traceConstants(&b, m)
	fmt.Fprint(&b, "Traces == <<\n")
	for i, tr := range traces {
		fmt.Fprint(&b, "<<\n")
		for j, s := range tr.states {
			action, nodes, links := "Init", []string{}, []string{}
			for n, exchange := range m.Exchanges {
				if j == 0 || !bytes.Equal(m.AppendNode(nil, n, s), m.AppendNode(nil, n, tr.states[j-1])) {
					nodes = append(nodes, fmt.Sprintf("%s |-> %s", exchange, m.AppendNode(nil, n, s)))
				}
			}
			for l, link := range m.Links {
				if j == 0 || !bytes.Equal(m.AppendLink(nil, l, s), m.AppendLink(nil, l, tr.states[j-1])) {
					links = append(links, fmt.Sprintf("%s |-> %s", link.Name, m.AppendLink(nil, l, s)))
				}
			}
			if j > 0 {
				action = tr.actions[j-1]
			}
			fmt.Fprintf(&b, "[a |-> %q, n |-> %s, l |-> %s]%s\n", action, record(nodes), record(links), comma(j, len(tr.states)))
		}
		fmt.Fprintf(&b, ">>%s\n", comma(i, len(traces)))
	}
	fmt.Fprint(&b, `>>
Length == [t \in DOMAIN Traces |-> Len(Traces[t])]
At1(t) == Traces[t][1]
TInit == /\ trace \in DOMAIN Traces /\ line = 1
         /\ node = At1(trace).n /\ link = At1(trace).l
Step(a) ==
  CASE a = "Open" -> \E k \in Contracts, c \in Capacities \cup {0} : Open(k, c)
    [] a = "Close" -> \E k \in Contracts : Close(k)
    [] a = "SetCapacity" -> \E k \in Contracts, c \in Capacities : SetCapacity(k, c)
    [] a = "Take" -> \E k \in Contracts, o \in Objects : Take(k, o)
    [] a = "Release" -> \E k \in Contracts, o \in Objects : Release(k, o)
    [] a = "Read" -> \E k \in Contracts, o \in Objects : Read(k, o)
    [] a = "Publish" -> \E k \in Contracts, o \in Objects, v \in States, now \in BOOLEAN : Publish(k, o, v, now)
    [] a = "Attach" -> \E l \in Links, end \in {"downstream", "upstream"} : Attach(l, end)
    [] a = "Detach" -> \E l \in Links, end \in {"downstream", "upstream"} : Detach(l, end)
    [] a = "PullUp" -> \E l \in Links : PullUp(l)
    [] a = "PullDown" -> \E l \in Links, o \in Objects : PullDown(l, o)
    [] a = "ReceiveContracts" -> \E l \in Links : ReceiveContracts(l)
    [] a = "ReceiveOpen" -> \E l \in Links : ReceiveOpen(l)
    [] a = "ReceiveClose" -> \E l \in Links : ReceiveClose(l)
    [] a = "ReceiveStateUp" -> \E l \in Links : ReceiveStateUp(l)
    [] a = "ReceiveStateDown" -> \E l \in Links : ReceiveStateDown(l)
    [] a = "SetRights" -> \E l \in Links, rights \in Rights : SetRights(l, rights)
    [] a = "Rebalance" -> \E n \in Exchanges, o \in Objects : Rebalance(n, o)
Advance ==
  /\ line > 0 /\ line < Length[trace]
  /\ line = 1 => Init
  /\ line' = line + 1 /\ trace' = trace
  /\ LET next == Traces[trace][line + 1]
     IN /\ node' = next.n @@ node
        /\ link' = next.l @@ link
        /\ Step(next.a)
\* Each trace gets one verdict, which is printed, and ends there: it was followed to its last line, or this
\* is the first line that the specification does not allow.
Verdict(words) == PrintT(words) /\ line' = 0 /\ UNCHANGED <<trace, node, link>>
Accept == line = Length[trace] /\ Verdict(<<"accepted", trace, line>>)
Reject ==
  /\ line > 0 /\ line < Length[trace]
  /\ ~ENABLED Advance
  /\ Verdict(<<"rejected", trace, IF line = 1 /\ ~Init THEN 1 ELSE line + 1>>)
TNext == Advance \/ Accept \/ Reject
====
`)
	return b.Bytes()
}

func comma(i, count int) string {
	if i < count-1 {
		return ","
	}
	return ""
}

func record(fields []string) string {
	if len(fields) == 0 {
		return "<<>>"
	}
	return "[" + strings.Join(fields, ", ") + "]"
}

func traceConstants(b *bytes.Buffer, m *model.Model) {
	quoted := func(names []string) (list []string) {
		for _, name := range names {
			list = append(list, strconv.Quote(name))
		}
		return list
	}
	set := func(names []string) string { return "{" + strings.Join(names, ", ") + "}" }
	thing := func(d int) string {
		if d < len(m.Objects) {
			return m.Objects[d].Name
		}
		return m.Tags[d-len(m.Objects)]
	}
	var links, ordered, upstream, downstream, limits, objects, tagsOf, contracts, at, kind, on, capacities, versions []string
	for _, l := range m.Links {
		links = append(links, l.Name)
		if l.Ordered {
			ordered = append(ordered, l.Name)
		}
		upstream = append(upstream, fmt.Sprintf("%s |-> %q", l.Name, m.Exchanges[l.Upstream]))
		downstream = append(downstream, fmt.Sprintf("%s |-> %q", l.Name, m.Exchanges[l.Downstream]))
		limits = append(limits, fmt.Sprintf("%s |-> %d", l.Name, l.Limit))
	}
	for _, o := range m.Objects {
		objects = append(objects, o.Name)
		var tags []string
		for _, t := range o.Tags {
			tags = append(tags, m.Tags[t])
		}
		tagsOf = append(tagsOf, o.Name+" |-> "+set(quoted(tags)))
	}
	for _, c := range m.Contracts {
		contracts = append(contracts, c.Name)
		at = append(at, fmt.Sprintf("%s |-> %q", c.Name, m.Exchanges[c.At]))
		kind = append(kind, fmt.Sprintf("%s |-> %q", c.Name, [...]string{model.Observe: "observe", model.Expose: "expose"}[c.Kind]))
		on = append(on, fmt.Sprintf("%s |-> %q", c.Name, thing(c.On)))
	}
	for _, capacity := range m.Capacities {
		capacities = append(capacities, strconv.Itoa(capacity))
	}
	var rights []string
	for _, r := range m.Rights {
		named := func(things uint64) string {
			var names []string
			for d := range m.Things() {
				if things>>d&1 == 1 {
					names = append(names, thing(d))
				}
			}
			return set(quoted(names))
		}
		rights = append(rights, fmt.Sprintf("[ob |-> %s, ex |-> %s, cap |-> %d]", named(r.Observe), named(r.Expose), r.Capacity))
	}
	for state, version := range m.Version {
		versions = append(versions, fmt.Sprintf("%d :> %d", state, version))
	}
	fmt.Fprintf(b, "TExchanges == %s\nTLinks == %s\nTOrdered == %s\nTUpstreamEnd == %s\nTDownstreamEnd == %s\nTLimit == %s\n",
		set(quoted(m.Exchanges)), set(quoted(links)), set(quoted(ordered)), record(upstream), record(downstream), record(limits))
	fmt.Fprintf(b, "TObjects == %s\nTTags == %s\nTTagsOf == %s\n", set(quoted(objects)), set(quoted(m.Tags)), record(tagsOf))
	fmt.Fprintf(b, "TContracts == %s\nTAt == %s\nTKind == %s\nTOn == %s\n", set(quoted(contracts)), record(at), record(kind), record(on))
	fmt.Fprintf(b, "TRights == %s\n", set(rights))
	boolean := map[bool]string{true: "TRUE", false: "FALSE"}
	fmt.Fprintf(b, "TLoads == %s\nTLimited == %s\nTThreshold == %d\n", boolean[m.Loads], boolean[m.Limited], m.Threshold)
	fmt.Fprintf(b, "TCapacities == %s\nTStates == 1..%d\nTVersion == %s\n", set(capacities), len(m.Version)-1, strings.Join(versions, " @@ "))
}
