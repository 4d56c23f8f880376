package containers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// shimPatience is how long a shim may take to end after its last container.
const shimPatience = time.Second

// endShims waits until no shim of a containerd namespace is left, and kills
// those that do not end by themselves. With an id, only the shim that was
// started for that container counts.
func endShims(ctx context.Context, ns, id string) error {
	patience := time.After(shimPatience)
	for {
		shims, err := shimsOf(ns, id)
		if err != nil || len(shims) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("shims of %s, processes %v: %w", ns, shims, ctx.Err())
		case <-patience:
			if err := killShims(ns, id); err != nil {
				return err
			}
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Shim is the process that serves all containers of the group, 0 when there is
// none: each has its own then. With it containerd ends them.
func (g *Group) Shim() int { return int(g.anchor.shim.Load()) }

// parentOf is a process's parent.
func parentOf(pid int) (int, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(text), "\nPPid:\t")
	line, _, _ := strings.Cut(after, "\n")
	return strconv.Atoi(line)
}

// killShims kills the shims of a containerd namespace, but not the short-lived
// ones that containerd runs to clean up after another.
func killShims(ns, id string) error {
	shims, err := shimsOf(ns, id)
	if err != nil {
		return err
	}
	var errs []error
	for pid, args := range shims {
		if slices.Contains(args, "delete") {
			continue
		}
		if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// shimsOf maps the processes of a containerd namespace's shims to their
// arguments.
func shimsOf(ns, id string) (map[int][]string, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	out := map[int][]string{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		args := strings.Split(string(line), "\x00")
		if err == nil && isShim(args, ns, id) {
			out[pid] = args
		}
	}
	return out, nil
}

func isShim(args []string, ns, id string) bool {
	if len(args) < 5 || !strings.HasSuffix(args[0], "/containerd-shim-runc-v2") || args[1] != "-namespace" || args[2] != ns {
		return false
	}
	at := slices.Index(args, "-id")
	return id == "" || at > 0 && at+1 < len(args) && args[at+1] == id
}
