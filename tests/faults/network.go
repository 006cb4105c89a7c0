//go:build unix

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// network is a switch in a namespace of its own, with a namespace for each host.
type network struct {
	prefix string
	hosts  []*host
}

// host is a namespace with one cable to the switch.
type host struct {
	network *network
	name    string
	number  int // of its address
	moved   int // how often the address changed
}

// available says what is missing for networks; "": nothing is.
func available() string {
	switch {
	case runtime.GOOS != "linux":
		return "network namespaces are of Linux"
	case os.Geteuid() != 0:
		return "network namespaces need root"
	}
	for _, program := range []string{"ip", "tc", "nft"} {
		if _, err := exec.LookPath(program); err != nil {
			return "there is no program " + program
		}
	}
	name := fmt.Sprintf("hkt%d", os.Getpid())
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		return fmt.Sprintf("no network namespace can be made: %s", strings.TrimSpace(string(out)))
	}
	defer func() { _ = exec.Command("ip", "netns", "del", name).Run() }() // it was only a trial
	rules := exec.Command("ip", "netns", "exec", name, "nft", "add", "table", "inet", "trial")
	if out, err := rules.CombinedOutput(); err != nil {
		return fmt.Sprintf("nft does not work here: %s", strings.TrimSpace(string(out)))
	}
	return ""
}

func newNetwork() (*network, error) {
	n := &network{prefix: fmt.Sprintf("hk%d", os.Getpid())}
	return n, n.run(
		"ip netns add "+n.hub(),
		n.in(n.hub(), "ip link add switch type bridge"),
		n.in(n.hub(), "ip link set switch up"),
	)
}

func (n *network) hub() string { return n.prefix + "hub" }

func (n *network) in(namespace, command string) string {
	return "ip netns exec " + namespace + " " + command
}

// run runs commands until one fails. Words are separated by spaces.
func (n *network) run(commands ...string) error {
	for _, command := range commands {
		words := strings.Fields(command)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", command, err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}

// add makes a host.
func (n *network) add(name string) (*host, error) {
	h := &host{network: n, name: name, number: len(n.hosts) + 1}
	n.hosts = append(n.hosts, h)
	space, near, far := h.space(), "eth0", fmt.Sprintf("port%d", h.number)
	if err := os.MkdirAll(h.etc(), 0o755); err != nil {
		return h, err
	}
	if err := n.tellNames(); err != nil {
		return h, err
	}
	return h, n.run(
		"ip netns add "+space,
		fmt.Sprintf("ip -n %s link add %s type veth peer name %s netns %s", n.hub(), far, near, space),
		fmt.Sprintf("ip -n %s link set %s master switch up", n.hub(), far),
		fmt.Sprintf("ip -n %s link set lo up", space),
		fmt.Sprintf("ip -n %s addr add %s/16 dev %s", space, h.address(), near),
		fmt.Sprintf("ip -n %s link set %s up", space, near),
		n.in(space, "nft add table inet faults"),
	)
}

func (n *network) remove() {
	for _, h := range n.hosts {
		_ = os.RemoveAll(h.etc())
		_ = n.run("ip netns del " + h.space()) // what cannot be removed is seen by whoever looks at the machine
	}
	_ = n.run("ip netns del " + n.hub())
}

// etc is where "ip netns exec" finds what a host has in place of files in /etc.
func (h *host) etc() string { return "/etc/netns/" + h.space() }

// tellNames tells all hosts under what address each is found.
func (n *network) tellNames() error {
	names := "127.0.0.1 localhost\n"
	for _, h := range n.hosts {
		names += h.address() + " " + h.name + "\n"
	}
	for _, h := range n.hosts {
		if err := os.WriteFile(h.etc()+"/hosts", []byte(names), 0o644); err != nil { // in place: the hosts have it mounted
			return err
		}
	}
	return nil
}

func (h *host) space() string { return h.network.prefix + h.name }

func (h *host) address() string { return fmt.Sprintf("10.77.%d.%d", h.moved, h.number) }

// command is a program that runs on the host.
func (h *host) command(program string, arguments ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", h.space(), program}, arguments...)...)
}

// direction of what goes over a host's cable.
type direction string

const (
	inwards  direction = "input"
	outwards direction = "output"
)

// lose drops a percentage of the packets of one direction.
func (h *host) lose(d direction, percent int) error {
	some := fmt.Sprintf("numgen random mod 100 < %d", percent)
	if percent == 100 {
		some = ""
	}
	return h.network.run(
		h.network.in(h.space(), fmt.Sprintf("nft add chain inet faults %s { type filter hook %s priority 0 ; }", d, d)),
		h.network.in(h.space(), fmt.Sprintf("nft add rule inet faults %s %s drop", d, some)),
	)
}

// slow limits what the host sends and receives.
func (h *host) slow(rate string) error {
	limit := "root tbf rate " + rate + " burst 4kb latency 2s"
	return h.network.run(
		fmt.Sprintf("tc -n %s qdisc add dev eth0 %s", h.space(), limit),
		fmt.Sprintf("tc -n %s qdisc add dev port%d %s", h.network.hub(), h.number, limit),
	)
}

// move gives the host another address, in place of the one it has.
func (h *host) move() error {
	before := h.address()
	h.moved++
	return h.network.run(
		fmt.Sprintf("ip -n %s addr del %s/16 dev eth0", h.space(), before),
		fmt.Sprintf("ip -n %s addr add %s/16 dev eth0", h.space(), h.address()),
	)
}

// heal undoes lose and slow.
func (h *host) heal() error {
	_ = h.network.run( // where nothing is limited, that is the error
		fmt.Sprintf("tc -n %s qdisc del dev eth0 root", h.space()),
		fmt.Sprintf("tc -n %s qdisc del dev port%d root", h.network.hub(), h.number),
	)
	return h.network.run(h.network.in(h.space(), "nft flush ruleset"), h.network.in(h.space(), "nft add table inet faults"))
}
