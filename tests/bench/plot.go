package main

import (
	"bytes"
	"fmt"
	"math"
)

// Plots have logarithmic axes.
const (
	plotWidth, plotHeight                    = 640.0, 360.0
	plotLeft, plotRight, plotTop, plotBottom = 70.0, 110.0, 16.0, 46.0
)

// colours are those of the servers, ours first; people who see no red or no green can tell them apart (Okabe and Ito).
var colours = []string{"#000000", "#d55e00", "#0072b2", "#56b4e9", "#009e73", "#cc79a7", "#e69f00"}

// axis maps values to a range of coordinates.
type axis struct{ least, most, from, to float64 }

// newAxis covers whole decades, or thirds of one if there is less.
func newAxis(least, most, from, to float64) axis {
	return axis{math.Floor(3*math.Log10(least)) / 3, math.Ceil(3*math.Log10(most)+1e-9) / 3, from, to}
}

func (a axis) at(v float64) float64 {
	return a.from + (a.to-a.from)*(math.Log10(v)-a.least)/math.Max(a.most-a.least, 1e-9)
}

// ticks are 1, 10, 100 …, and 2 and 5 of each where few decades are covered.
func (a axis) ticks() (ticks []float64) {
	steps := []float64{1}
	if a.most-a.least < 2.5 {
		steps = []float64{1, 2, 5}
	}
	for decade := math.Floor(a.least); decade <= a.most; decade++ {
		for _, step := range steps {
			if v := step * math.Pow(10, decade); math.Log10(v) >= a.least-1e-9 && math.Log10(v) <= a.most+1e-9 {
				ticks = append(ticks, v)
			}
		}
	}
	return ticks
}

// drawing is an SVG.
type drawing struct{ bytes.Buffer }

func newDrawing(width, height float64) *drawing {
	var d drawing
	fmt.Fprintf(&d, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" font-family="sans-serif" font-size="12">`+"\n", width, height, width, height)
	fmt.Fprintf(&d, `<rect width="%g" height="%g" fill="#ffffff"/>`+"\n", width, height)
	return &d
}

func (d *drawing) line(x1, y1, x2, y2 float64, colour string, width float64) {
	fmt.Fprintf(d, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%g"/>`+"\n", x1, y1, x2, y2, colour, width)
}

func (d *drawing) dot(x, y float64, colour string) {
	fmt.Fprintf(d, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", x, y, colour)
}

func (d *drawing) text(x, y float64, anchor, colour, text string) {
	fmt.Fprintf(d, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`+"\n", x, y, anchor, colour, text)
}

func (d *drawing) done() []byte {
	d.WriteString("</svg>\n")
	return d.Bytes()
}

// plotCurve draws the points of each server.
func (l *lab) plotCurve(c curve) []byte {
	least := [2]float64{math.Inf(1), math.Inf(1)}
	most := [2]float64{}
	for _, p := range l.programs {
		xs, ys := l.points(c, p.name)
		for i := range xs {
			least = [2]float64{math.Min(least[0], xs[i]), math.Min(least[1], ys[i])}
			most = [2]float64{math.Max(most[0], xs[i]), math.Max(most[1], ys[i])}
		}
	}
	x := newAxis(least[0], most[0], plotLeft, plotWidth-plotRight)
	y := newAxis(least[1], most[1], plotHeight-plotBottom, plotTop)
	d := newDrawing(plotWidth, plotHeight)
	for _, tick := range x.ticks() {
		d.line(x.at(tick), y.from, x.at(tick), y.to, "#e0e0e0", 1)
		d.text(x.at(tick), y.from+16, "middle", "#444444", short(tick))
	}
	for _, tick := range y.ticks() {
		d.line(x.from, y.at(tick), x.to, y.at(tick), "#e0e0e0", 1)
		d.text(x.from-6, y.at(tick)+4, "end", "#444444", short(tick))
	}
	d.text((x.from+x.to)/2, plotHeight-8, "middle", "#000000", c.x)
	fmt.Fprintf(d, `<text transform="translate(14,%.1f) rotate(-90)" text-anchor="middle">%s</text>`+"\n", (y.from+y.to)/2, c.y)
	legend := plotTop + 12.0
	for which, p := range l.programs {
		xs, ys := l.points(c, p.name)
		if len(xs) == 0 {
			continue
		}
		colour := colours[which%len(colours)]
		for i := range xs {
			if i > 0 {
				d.line(x.at(xs[i-1]), y.at(ys[i-1]), x.at(xs[i]), y.at(ys[i]), colour, 2)
			}
			d.dot(x.at(xs[i]), y.at(ys[i]), colour)
		}
		d.dot(x.to+16, legend-4, colour)
		d.text(x.to+24, legend, "start", colour, p.name)
		legend += 18
	}
	return d.done()
}

// plotLoads draws the ratios of processor time, ours to each other server's, with their ranges.
func (l *lab) plotLoads() []byte {
	const rowHeight, left, width = 15.0, 110.0, 640.0
	type bar struct {
		server int
		ratio  spread
	}
	groups := map[string][]bar{}
	least, most, rows := 0.5, 2.0, 0
	for _, one := range loads {
		for which, p := range l.programs[1:] {
			if ratio, ok := l.ratio("load", one.name, p.name, processor); ok {
				groups[one.name] = append(groups[one.name], bar{which + 1, ratio})
				least, most = math.Min(least, ratio.least), math.Max(most, ratio.most)
				rows++
			}
		}
	}
	height := plotTop + rowHeight*float64(rows+len(groups)) + plotBottom
	d := newDrawing(width, height)
	x := newAxis(least, most, left, width-plotRight)
	bottom := height - plotBottom
	for _, tick := range x.ticks() {
		colour := "#e0e0e0"
		if tick == 1 {
			colour = "#808080"
		}
		d.line(x.at(tick), plotTop, x.at(tick), bottom, colour, 1)
		d.text(x.at(tick), bottom+16, "middle", "#444444", short(tick))
	}
	d.text((x.from+x.to)/2, height-8, "middle", "#000000", "server's processor time, ours to the other's; left of 1 is less for ours")
	y := plotTop + rowHeight/2
	for _, one := range loads {
		bars := groups[one.name]
		if len(bars) == 0 {
			continue
		}
		d.text(left-8, y+4+rowHeight*float64(len(bars)-1)/2, "end", "#000000", one.name)
		for _, b := range bars {
			colour := colours[b.server%len(colours)]
			d.line(x.at(b.ratio.least), y, x.at(b.ratio.most), y, colour, 2)
			d.dot(x.at(b.ratio.median), y, colour)
			d.text(math.Max(x.at(b.ratio.most), x.at(b.ratio.median))+8, y+4, "start", colour, l.programs[b.server].name)
			y += rowHeight
		}
		y += rowHeight
	}
	return d.done()
}
