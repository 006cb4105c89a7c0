package interop

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A machine that cannot build the reference is told what it lacks, before anything is built.
func TestReference_SaysWhatTheMachineLacks(t *testing.T) {
	const rust = "echo host: here; echo release: "
	for name, c := range map[string]struct {
		programs map[string]string
		says     string // nothing: it lacks nothing
	}{
		"NoCargo":    {map[string]string{"rustc": rust + "9.9.9", "pkg-config": "true"}, "cargo"},
		"NoRustc":    {map[string]string{"cargo": "true", "pkg-config": "true"}, "rustc"},
		"RustBroken": {map[string]string{"cargo": "true", "rustc": "exit 1", "pkg-config": "true"}, "a Rust that runs"},
		"RustOld":    {map[string]string{"cargo": "true", "rustc": rust + "1.63.0", "pkg-config": "true"}, "here is 1.63.0"},
		"NoPackages": {map[string]string{"cargo": "true", "rustc": rust + "9.9.9"}, "pkg-config"},
		"NoOpenSSL":  {map[string]string{"cargo": "true", "rustc": rust + "9.9.9", "pkg-config": "exit 1"}, "OpenSSL"},
		"All":        {map[string]string{"cargo": "true", "rustc": rust + "9.9.9-nightly", "pkg-config": "true"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			for program, does := range c.programs {
				if err := os.WriteFile(filepath.Join(folder, program), []byte("#!/bin/sh\n"+does+"\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", folder)
			host, err := rustHost()
			switch {
			case c.says == "" && (err != nil || host != "here"):
				t.Errorf("host %q, %v", host, err)
			case c.says != "" && (!errors.Is(err, errMissing) || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%v, expected what is missing, with %q", err, c.says)
			}
		})
	}
}
