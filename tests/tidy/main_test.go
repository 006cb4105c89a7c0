package tidy

import (
	"testing"

	"hakuban/internal/race"
)

func TestMain(m *testing.M) { race.Main(m.Run, "the rules read sources, in one goroutine") }
