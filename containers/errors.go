package containers

import (
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"google.golang.org/grpc/status"
)

// What an operation can find instead of a running process. Test with errors.Is.
var (
	ErrNotRunning = errors.New("not running")
	ErrRunning    = errors.New("running already")
	ErrPaused     = errors.New("paused")
	ErrNoProgram  = errors.New("no such program")
	ErrClosed     = errors.New("closed")
)

// ignoreGone makes an error of removing what is not there none.
func ignoreGone(err error) error {
	if err == nil || errdefs.IsNotFound(err) || errdefs.IsNotFound(errgrpc.ToNative(err)) {
		return nil
	}
	return err
}

// explain turns an error of the shim or runc into what the user can act on.
func explain(err error, program string) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		err = errgrpc.ToNative(err)
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "executable file not found in"),
		strings.Contains(text, "exec: ") && strings.Contains(text, "no such file or directory"),
		strings.Contains(text, "stat ") && strings.Contains(text, "no such file or directory: unknown"):
		return fmt.Errorf("%s: %w in the image", program, ErrNoProgram)
	case strings.Contains(text, "exec: ") && strings.Contains(text, "permission denied"):
		return fmt.Errorf("%s: is not executable: %w", program, err)
	}
	return err
}
