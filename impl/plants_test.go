//go:build plants

package impl

import (
	"testing"

	"hakuban/internal/plant"
)

// Every planted bug is found. Run it with: make plants
func TestPlants_AreCaught(t *testing.T) { plant.Caught(t, plants) }
