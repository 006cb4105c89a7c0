package readme

import (
	"testing"

	"hakuban/internal/race"
)

func TestMain(m *testing.M) {
	race.Main(m.Run, "the commands of README.md are processes of their own, built without it")
}
