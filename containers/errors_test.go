package containers

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestTheEndOfContainerdIsToldOnce(t *testing.T) {
	gone := status.Error(codes.Unavailable, `connection error: desc = "transport: Error while dialing: dial unix /x.sock: connect: connection refused"`)
	other := errors.New("cgroup: busy")
	err := joined([]error{nil, fmt.Errorf("node1: kv: %w", gone), other, gone, joined([]error{gone})})
	if n := strings.Count(err.Error(), "containerd does not answer"); n != 1 || !errors.Is(err, ErrEngineGone) || !errors.Is(err, other) || strings.Contains(err.Error(), "dial unix") {
		t.Errorf("got: %v", err)
	}
	if err := joined([]error{nil, nil}); err != nil {
		t.Errorf("no errors: %v", err)
	}
}
