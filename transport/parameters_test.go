package transport

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"hakuban"
)

func TestParseAddress(t *testing.T) {
	type want struct {
		timeout, keepAlive time.Duration
		delay              bool
		name               string
		limit              []hakuban.LoadPoint
	}
	points := func(numbers ...int64) (limit []hakuban.LoadPoint) {
		for i := 0; i < len(numbers); i += 2 {
			limit = append(limit, hakuban.LoadPoint{After: time.Duration(numbers[i]) * time.Millisecond, Load: uint32(numbers[i+1])})
		}
		return limit
	}
	for _, c := range []struct {
		url  string
		want want
	}{
		{"ws://h:1", want{}},
		{"ws://h:1/", want{}},
		{"ws://h:1/path?query", want{}},
		{"  ws://h:1  ", want{}},
		{"wss://h", want{}},
		{"ws://[::1]:1", want{}},
		{"ws://h:1#", want{}},
		{"ws://h:1#,", want{}},
		{"ws://h:1#,,name=n,,", want{name: "n"}},
		{"ws://h:1#timeout=5", want{timeout: 5 * time.Second}},
		{"ws://h:1#timeout=500ms", want{timeout: 500 * time.Millisecond}},
		{"ws://h:1#timeout=3m+31", want{timeout: 211 * time.Second}},
		{"ws://h:1#timeout=1m*10", want{timeout: 10 * time.Minute}},
		{"ws://h:1#keep-alive=2s", want{keepAlive: 2 * time.Second}},
		{"ws://h:1#keep-alive=1m30s", want{keepAlive: 90 * time.Second}},
		{"ws://h:1#timeout=2s,keep-alive=1s", want{timeout: 2 * time.Second, keepAlive: time.Second}},
		{"ws://h:1#nodelay=true", want{}},
		{"ws://h:1#nodelay=false", want{delay: true}},
		{"ws://h:1#name=worker", want{name: "worker"}},
		{"ws://h:1#name=a=b", want{name: "a=b"}},
		{"ws://h:1#name=a#b", want{name: "a#b"}},
		{"ws://h:1#name=", want{name: "-"}},
		{"ws://h:1#name=bób", want{name: "b%C3%B3b"}},
		{"ws://h:1#name=a b", want{name: "a%20b"}},
		{"ws://h:1#name=50%", want{name: "50%"}},
		{"ws://h:1#name=\"<>`", want{name: "%22%3C%3E%60"}},
		{"ws://h:1#name={}|^[]'", want{name: "{}|^[]'"}},
		{"ws://h:1#load-limit=3", want{limit: points(0, 3)}},
		{"ws://h:1#load-limit=+3", want{limit: points(0, 3)}},
		{"ws://h:1#load-limit=0", want{limit: points(0, 0)}},
		{"ws://h:1#load-limit=2:0-2:5-5:7", want{limit: points(2000, 0, 2000, 5, 5000, 7)}},
		{"ws://h:1#load-limit=1-500ms:2", want{limit: points(0, 1, 500, 2)}},
		{"ws://h:1#load-limit=1m+1:4294967295", want{limit: points(61000, 4294967295)}},
		{"ws://h:1#name=x,load-limit=1,nodelay=false,keep-alive=1,timeout=2",
			want{2 * time.Second, time.Second, true, "x", points(0, 1)}},
	} {
		w := parameters{timeout: defaultTimeout, keepAlive: defaultKeepAlive, noDelay: !c.want.delay, name: "default", loadLimit: c.want.limit}
		if c.want.timeout != 0 {
			w.timeout = c.want.timeout
		}
		if c.want.keepAlive != 0 {
			w.keepAlive = c.want.keepAlive
		}
		if c.want.name != "" {
			w.name = strings.TrimPrefix(c.want.name, "-")
		}
		address, err := parseAddress(c.url, "default")
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
		} else if !reflect.DeepEqual(address.parameters, w) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.url, address.parameters, w)
		}
	}
}

func TestParseAddress_Refused(t *testing.T) {
	for url, want := range map[string]string{
		"":                                   "scheme",
		"127.0.0.1:3001":                     "",
		"http://h:1":                         `"http"`,
		"tcp://h:1":                          "scheme",
		"ws:h:1":                             "no host",
		"ws://":                              "no host",
		"ws://:3001":                         "no host",
		"ws://h:port":                        "port",
		"ws://h:65536":                       "port",
		"ws://h:-1":                          "port",
		"ws://user@h:1":                      "user name",
		"ws://h:1#unknown=1":                 `unknown parameter "unknown"`,
		"ws://h:1#Timeout=1":                 `unknown parameter "Timeout"`,
		"ws://h:1#=1":                        `unknown parameter ""`,
		"ws://h:1#timeout":                   `"timeout" has no value`,
		"ws://h:1#name":                      `"name" has no value`,
		"ws://h:1#bad":                       `unknown parameter "bad"`,
		"ws://h:1#timeout=1,timeout=2":       `"timeout" is given twice`,
		"ws://h:1#name=a,keep-alive=1,name":  `"name" has no value`,
		"ws://h:1#load-limit=1,load-limit=2": "twice",
		"ws://h:1#timeout=":                  "number was expected",
		"ws://h:1#timeout=0":                 "zero",
		"ws://h:1#keep-alive=0s":             "zero",
		"ws://h:1#timeout=-1":                "number was expected",
		"ws://h:1#timeout=1.5s":              `unknown unit ".5s"`,
		"ws://h:1#timeout=1x":                `unknown unit "x"`,
		"ws://h:1#timeout=1 s":               "unknown unit",
		"ws://h:1#timeout=1m+2*3":            "mixes",
		"ws://h:1#timeout=1m31*2":            "mixes",
		"ws://h:1#timeout=1m+":               "number was expected",
		"ws://h:1#timeout=+1":                "number was expected",
		"ws://h:1#timeout=585y":              "584 years",
		"ws://h:1#timeout=580y*2":            "584 years",
		"ws://h:1#nodelay=":                  "neither true nor false",
		"ws://h:1#nodelay=1":                 "neither true nor false",
		"ws://h:1#nodelay=TRUE":              "neither true nor false",
		"ws://h:1#load-limit=":               "not an integer",
		"ws://h:1#load-limit=x":              "not an integer",
		"ws://h:1#load-limit=1.5":            "not an integer",
		"ws://h:1#load-limit=-1":             "not an integer",
		"ws://h:1#load-limit=4294967296":     "not an integer",
		"ws://h:1#load-limit=2:":             "not an integer",
		"ws://h:1#load-limit=:2":             "number was expected",
		"ws://h:1#load-limit=1:2:3":          "not an integer",
		"ws://h:1#load-limit=1-":             "not an integer",
		"ws://h:1#load-limit=1e9s:1":         "unknown unit",
		"ws://h:1#load-limit=1_0":            "not an integer",
	} {
		address, err := parseAddress(url, "default")
		if err == nil {
			t.Errorf("%s: taken as %+v", url, address.parameters)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %q, want %q in it", url, err, want)
		}
	}
}

// TestParseDuration has the examples of the reference's parser.
func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "1": time.Second, "0m": 0, "1hr": time.Hour, "1m31": 91 * time.Second, "1m31s": 91 * time.Second,
		"1m+31": 91 * time.Second, "1m*60": time.Hour, "1m*60*20": 20 * time.Hour, "1m+60+24": 144 * time.Second,
		"1d": 24 * time.Hour, "3m+13s+29ms": 193*time.Second + 29*time.Millisecond,
		"3m+1s+29ms+17us": 181*time.Second + 29*time.Millisecond + 17*time.Microsecond,
		"1m*10":           10 * time.Minute, "1m*10ms": 600 * time.Millisecond, "1m*1ns": 60, "1m*1m": time.Hour,
		"3m31s0ns": 211 * time.Second, "1d2h3min4s": 93784 * time.Second, "580y*1": math.MaxInt64, "1y": 365 * day,
		"1mon": 30 * day, "2w": 14 * day, "1MS": time.Millisecond, "7Hours": 7 * time.Hour, "5usec": 5 * time.Microsecond,
		"292y": 292 * 365 * day, "293y": math.MaxInt64, "2*3*4": 24 * time.Second,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("ws://h:1#timeout=1m+2,load-limit=1:2-3")
	f.Fuzz(func(t *testing.T, url string) {
		address, err := parseAddress(url, "")
		if err != nil {
			return
		}
		again, err := parseAddress(address.String(), "")
		if err != nil || !reflect.DeepEqual(again.parameters, address.parameters) {
			t.Errorf("%q shows as %q, which parses as %+v, %v", url, address, again, err)
		}
	})
}
