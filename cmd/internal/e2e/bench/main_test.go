package bench

import (
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
