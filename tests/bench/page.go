package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// What stands around the section of docs/benchmarks.md that the program writes.
const (
	markBegin = "<!-- begin: written by tests/bench -->\n"
	markEnd   = "<!-- end: written by tests/bench -->\n"
)

// spread is a median and its range.
type spread struct{ median, least, most float64 }

func spreadOf(values []float64) spread {
	slices.Sort(values)
	return spread{values[len(values)/2], values[0], values[len(values)-1]}
}

// values are a figure of all rounds, by round; NaN: not measured.
func (l *lab) values(kind, name, server, figure string) (values []float64) {
	for _, r := range l.rows {
		if r.Kind == kind && r.Name == name && r.Server == server {
			value, ok := r.Figures[figure]
			if !ok {
				value = math.NaN()
			}
			values = append(values, value)
		}
	}
	return values
}

// ratio is ours to a server's, by round.
func (l *lab) ratio(kind, name, server, figure string) (s spread, ok bool) {
	ours, theirs := l.values(kind, name, l.programs[0].name, figure), l.values(kind, name, server, figure)
	var ratios []float64
	for i := range min(len(ours), len(theirs)) {
		if theirs[i] > 0 && !math.IsNaN(ours[i]) {
			ratios = append(ratios, ours[i]/theirs[i])
		}
	}
	if len(ratios) == 0 {
		return spread{}, false
	}
	return spreadOf(ratios), true
}

// page is the section of docs/benchmarks.md.
func (l *lab) page(m *machine) string {
	var p bytes.Buffer
	p.WriteString(markBegin)
	form := "quick"
	if l.whole {
		form = "whole"
	}
	fmt.Fprintf(&p, "A %s run of %s, on %d cores with a load average of %s before it began; it took %v.\nClients and servers shared the cores. "+
		"So the absolute figures say little, and the ratios of one run do.\n\n", form, m.at.Format("2006-01-02 15:04 UTC"), m.cores, m.load, m.took.Round(time.Second))
	for _, program := range l.programs[1:] {
		fmt.Fprintf(&p, "- **%s**: %s\n", program.name, program.what)
	}
	for _, note := range l.notes {
		fmt.Fprintf(&p, "- %s\n", cut(note))
	}
	l.loadTables(&p)
	l.hostileTable(&p)
	l.curveTable(&p)
	p.WriteString(markEnd)
	return p.String()
}

// cut keeps a line short, and within a cell of a table.
func cut(text string) string {
	text = strings.ReplaceAll(text, "\n", " ")
	if len(text) > 150 {
		text = text[:147] + "…"
	}
	return text
}

var loadFigures = []string{processor, median50, median99, seen, resident}

func (l *lab) loadTables(p *bytes.Buffer) {
	if len(l.values("load", loads[0].name, l.programs[0].name, processor)) == 0 && len(l.rows) == 0 {
		return
	}
	fmt.Fprintf(p, "\n### Loads\n\nOurs as measured, the median of %d rounds; then ours to the other's: the median of the ratios of each round, and their range. "+
		"Below 1\nis less for ours, which is better, but for what is seen.\n\n![processor time, ours to the others'](bench/loads.svg)\n\n", l.rounds)
	for _, one := range loads {
		fmt.Fprintf(p, "- *%s*: %s\n", one.name, one.what)
	}
	p.WriteString("\n| load | figure | ours |")
	for _, program := range l.programs[1:] {
		fmt.Fprintf(p, " to %s |", program.name)
	}
	p.WriteString("\n| --- | --- | ---: |" + strings.Repeat(" ---: |", len(l.programs)-1) + "\n")
	for _, one := range loads {
		for _, figure := range loadFigures {
			ours := l.values("load", one.name, l.programs[0].name, figure)
			if len(ours) == 0 || math.IsNaN(ours[0]) {
				continue
			}
			fmt.Fprintf(p, "| %s | %s | %s |", one.name, figure, short(spreadOf(ours).median))
			for _, program := range l.programs[1:] {
				p.WriteString(" " + l.cell("load", one.name, program.name, figure) + " |")
			}
			p.WriteString("\n")
		}
	}
}

func (l *lab) cell(kind, name, server, figure string) string {
	s, ok := l.ratio(kind, name, server, figure)
	if !ok {
		return ""
	}
	return fmt.Sprintf("**%.2f** %.2f–%.2f", s.median, s.least, s.most)
}

func (l *lab) hostileTable(p *bytes.Buffer) {
	p.WriteString("\n### Hostile loads\n\nA healthy pair exchanges states while other links do their worst. The ratio is of the pair's 99 % to its own before the attack.\n\n")
	for _, one := range hostiles {
		fmt.Fprintf(p, "- *%s*: %s\n", one.name, one.what)
	}
	p.WriteString("\n| load | router | worst wait | 99 % | 99 % to quiet | memory at most |\n| --- | --- | ---: | ---: | ---: | ---: |\n")
	for _, one := range hostiles {
		for _, program := range l.programs {
			value := func(figure string) float64 {
				if values := l.values("hostile", one.name, program.name, figure); len(values) > 0 {
					return slices.Max(values)
				}
				return math.NaN()
			}
			if math.IsNaN(value(worst)) {
				continue
			}
			fmt.Fprintf(p, "| %s | %s | %.3g ms | %.3g ms | %s | %.0f MiB |\n", one.name, program.name, value(worst), value(ninety9), short(value(toQuiet)), value(mostHeld))
		}
	}
	p.WriteString("\nThe worst of all rounds is given.\n")
}

func (l *lab) curveTable(p *bytes.Buffer) {
	fmt.Fprintf(p, "\n### How costs grow\n\nThe exponent is that of the power law that fits best: 1 is growth in proportion. A curve that grows faster than n log n in its upper half, by\n"+
		"more than %.2f in the exponent, is marked.\n\n", noise)
	p.WriteString("| curve | server | from | to | exponent | |\n| --- | --- | ---: | ---: | ---: | --- |\n")
	for _, c := range curves {
		for _, program := range l.programs {
			xs, ys := l.points(c, program.name)
			if len(xs) < 3 {
				continue
			}
			exponent, steeper := fit(xs, ys)
			mark := ""
			if steeper && !c.free {
				mark = "**worse than n log n**"
			}
			fmt.Fprintf(p, "| %s | %s | %s at %s | %s at %s | %.2f | %s |\n", c.name, program.name,
				short(ys[0]), short(xs[0]), short(ys[len(ys)-1]), short(xs[len(xs)-1]), exponent, mark)
		}
	}
	for _, c := range curves {
		if xs, _ := l.points(c, l.programs[0].name); len(xs) >= 2 {
			fmt.Fprintf(p, "\n*%s*: %s.\n\n![%s](bench/%s)\n", c.name, c.what, c.name, c.file())
		}
	}
}

func (c curve) file() string { return strings.ReplaceAll(c.name, " ", "-") + ".svg" }

// points are those of a curve, by size.
func (l *lab) points(c curve, server string) (xs, ys []float64) {
	var rows []row
	for _, r := range l.rows {
		if r.Kind == "curve" && r.Name == c.name && r.Server == server && r.Figures[c.y] > 0 {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.At, b.At) })
	for _, r := range rows {
		xs, ys = append(xs, r.At), append(ys, r.Figures[c.y])
	}
	return xs, ys
}

// short is a number for people.
func short(v float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e6, "M"}, {1e3, "k"}} {
		if v >= unit.size {
			return fmt.Sprintf("%.3g%s", v/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%.3g", v)
}

// write puts the page, the plots and the rows where they belong.
func (l *lab) write(docs, page string) error {
	file := filepath.Join(docs, "benchmarks.md")
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(old), markBegin)
	_, after, foundEnd := strings.Cut(rest, markEnd)
	if !found || !foundEnd {
		return fmt.Errorf("%s: the lines %q and %q were expected", file, strings.TrimSpace(markBegin), strings.TrimSpace(markEnd))
	}
	folder := filepath.Join(docs, "bench")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	rows, err := json.Marshal(l.rows)
	if err != nil {
		return err
	}
	rows = append(bytes.ReplaceAll(rows, []byte("},{"), []byte("},\n{")), '\n')
	files := map[string][]byte{file: []byte(before + page + after), filepath.Join(folder, "rows.json"): rows, filepath.Join(folder, "loads.svg"): l.plotLoads()}
	for _, c := range curves {
		if xs, _ := l.points(c, l.programs[0].name); len(xs) >= 2 {
			files[filepath.Join(folder, c.file())] = l.plotCurve(c)
		}
	}
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
