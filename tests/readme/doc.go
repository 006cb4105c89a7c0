// Package readme tests that README.md says what is so: its Go compiles and runs, its commands are those that CI runs, its flags are
// the router's, its links lead somewhere.
package readme
