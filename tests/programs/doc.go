// Package programs runs the programs of docs/programs.md, one in each language, as they stand there.
package programs
