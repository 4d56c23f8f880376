package containers

import (
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/status"
)

// What an operation can find instead of a running process. Test with errors.Is.
var (
	ErrNotRunning = errors.New("not running")
	ErrRunning    = errors.New("running already")
	ErrPaused     = errors.New("paused")
	ErrNoProgram  = errors.New("no such program")
	ErrClosed     = errors.New("closed")
	ErrEngineGone = errors.New("containerd does not answer: it has ended")
)

// ignoreGone makes an error of removing what is not there none.
func ignoreGone(err error) error {
	if err == nil || errdefs.IsNotFound(err) || errdefs.IsNotFound(errgrpc.ToNative(err)) {
		return nil
	}
	return err
}

// joined joins errors. What the end of containerd makes of every one of its
// calls is told once.
func joined(errs []error) error {
	var out []error
	gone := false
	for _, err := range errs {
		if err == nil || !engineGone(err) {
			out = append(out, err)
			continue
		}
		if !gone {
			out = append(out, fmt.Errorf("%w\nhint: what is left is removed when the next run begins", ErrEngineGone))
		}
		gone = true
	}
	return errors.Join(out...)
}

// engineGone tells whether a call failed because nobody listens at containerd's
// socket any more.
func engineGone(err error) bool {
	return errors.Is(err, ErrEngineGone) || errdefs.IsUnavailable(err) || errdefs.IsUnavailable(errgrpc.ToNative(err)) ||
		strings.Contains(err.Error(), "Error while dialing: dial unix")
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

// explainFull says which file system is full, when an error tells that one is.
func (rt *Runtime) explainFull(err error) error {
	if err == nil || rt.engine == nil || !errors.Is(err, unix.ENOSPC) && !strings.Contains(err.Error(), unix.ENOSPC.Error()) {
		return err
	}
	free, all, roomErr := rt.engine.Room()
	if roomErr != nil || free > all/64 {
		return fmt.Errorf("%w\nhint: `brine doctor` tells how much room there is", err)
	}
	return fmt.Errorf("%w\nhint: containers have %.1f GiB of memory for their file systems, all together, and it is full: what a service writes a lot of belongs into its data volume (`data:`), and `memory:` bounds the rest", err, float64(all)/(1<<30))
}
