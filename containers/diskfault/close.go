package diskfault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How long the steps of closing may take each. What is over in time goes fast;
// the rest is not waited for.
const (
	unmountTime = 2 * time.Second
	endTime     = time.Second
	killTime    = 5 * time.Second
)

// Close unmounts the volume and ends its server. It needs neither a server that
// lives nor programs that let go of their files: they get ENOTCONN from then on,
// and frozen ones get it when they run again. The data stays in the backing
// folder as it is. Close may be called again.
func (v *Volume) Close(ctx context.Context) error {
	v.closing.Store(true)
	err := errors.Join(v.unmount(ctx), v.end(ctx))
	if err != nil {
		return fmt.Errorf("disk %s: close: %w", v.cfg.Mountpoint, err)
	}
	if err := v.cfg.removeFiles(); err != nil {
		return fmt.Errorf("disk %s: close: %w", v.cfg.Mountpoint, err)
	}
	return nil
}

// abandon ends a volume that did not come up.
func (v *Volume) abandon() error {
	ctx := context.Background()
	_ = syscall.Kill(v.pid, syscall.SIGKILL) // it may have ended by itself
	if _, ok := within(ctx, killTime, v.ended); !ok {
		return fmt.Errorf("server %d: does not end", v.pid)
	}
	return v.Close(ctx)
}

func (c *Config) removeFiles() error {
	var err error
	if !c.NoUndo {
		err = os.RemoveAll(c.Undo)
	}
	if e := os.Remove(c.Socket); e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

// unmount takes the mount out of its namespace, from open files and all. That may
// wait for a server which does not answer; then the connection is aborted.
func (v *Volume) unmount(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- detach(v.cfg.MountNS, v.cfg.Mountpoint, v.device) }()
	if err, ok := within(ctx, unmountTime, done); ok {
		return err
	}
	err := abort(v.device)
	if e, ok := within(ctx, unmountTime, done); ok {
		return e
	}
	return errors.Join(errors.New("unmount: takes too long"), err)
}

// within waits for what comes from a channel for a limited time.
func within[T any](ctx context.Context, limit time.Duration, from <-chan T) (T, bool) {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case got := <-from:
		return got, true
	default:
	}
	select {
	case got := <-from:
		return got, true
	case <-t.C:
	case <-ctx.Done():
	}
	var none T
	return none, false
}

// end waits for the server, which ends when the last that had the volume mounted
// is gone; else it is killed.
func (v *Volume) end(ctx context.Context) error {
	if _, ok := within(ctx, endTime, v.ended); ok {
		return nil
	}
	// It is our child and not waited for yet: the pid is still its own. The number of
	// the device may be another volume's by now, whose connection must not be aborted
	// for this one; and with the server its connection ends too.
	_ = syscall.Kill(v.pid, syscall.SIGKILL)
	// Teardown goes on when the scenario's time is over.
	if _, ok := within(context.WithoutCancel(ctx), killTime, v.ended); ok {
		return nil
	}
	// A server that cannot die holds its connection, so that the number is its own.
	err := abort(v.device)
	if _, ok := within(context.WithoutCancel(ctx), endTime, v.ended); ok {
		return nil
	}
	return errors.Join(fmt.Errorf("server %d: does not end", v.pid), err)
}

// detach unmounts all mounts of a device at a point in a mount namespace; of no
// device, those of servers that are dead. A namespace that is gone has none.
func detach(ns, point string, device uint32) error {
	f, err := openNamespace(ns)
	if err != nil {
		if isGone(err) {
			return nil
		}
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	return inNamespace(int(f.Fd()), func() error {
		n, err := mountsAt(point, device)
		for ; n > 0 && err == nil; n-- {
			if device == 0 && !isDead(point) {
				break
			}
			err = unix.Unmount(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		}
		if err != nil {
			return fmt.Errorf("unmount: %w", err)
		}
		return nil
	})
}

// isDead tells whether what is mounted at a point has no server any longer.
func isDead(point string) bool {
	var st unix.Statfs_t
	return errors.Is(unix.Statfs(point, &st), unix.ENOTCONN)
}

// mountsAt counts the mounts of a device (0: of any volume) at a point, in the
// calling thread's mount namespace.
func mountsAt(point string, device uint32) (int, error) {
	text, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return 0, err
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		// 36 35 0:57 / /mnt/point rw … - fuse.brine brine rw…
		part := strings.Fields(line)
		if len(part) < 5 || unescape(part[4]) != point {
			continue
		}
		if part[2] == fmt.Sprintf("0:%d", device) || device == 0 && strings.Contains(line, " - fuse."+fsName+" ") {
			n++
		}
	}
	return n, nil
}

// unescape turns \040 and the like into what they stand for.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
