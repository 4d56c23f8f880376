package pixie

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain runs the tests and then looks for connections that were left open: each keeps goroutines of gRPC.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := open(5 * time.Second); left != "" {
		fmt.Fprintln(os.Stderr, "still open:\n"+left)
		code = max(code, 1)
	}
	os.Exit(code)
}

// open gives the stacks of gRPC's goroutines, once there was time for them to end.
func open(wait time.Duration) string {
	for deadline := time.Now().Add(wait); ; time.Sleep(20 * time.Millisecond) { // between two looks; there is nothing to subscribe to
		var left []string
		stacks := make([]byte, 1<<20)
		for g := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if strings.Contains(g, "google.golang.org/grpc") {
				left = append(left, g)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return strings.Join(left, "\n\n")
		}
	}
}
