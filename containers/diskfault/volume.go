package diskfault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Config says what a volume is made of. Paths are absolute; all but Mountpoint
// are the caller's own, outside MountNS.
type Config struct {
	// Backing is the folder in which the data really is.
	Backing string
	// Mountpoint is the folder that the volume is mounted over, as MountNS has it;
	// it may be Backing itself.
	Mountpoint string
	// MountNS is the mount namespace to mount in, as /proc/PID/ns/mnt. Empty: the
	// caller's.
	MountNS string
	// LogFile takes the server's output, appended.
	LogFile string
	// Socket is the control socket, which the volume makes and removes.
	Socket string

	// Undo is the folder for what a loss of power puts back, on Backing's file
	// system; the volume makes it, empties it, and removes it. Empty: Backing with
	// .undo added.
	Undo string
	// NoUndo spares the cost of undoing; LosePower is an error then.
	NoUndo bool
	// Strict is POSIX by the letter: an fsync of a file does not make its name
	// durable, nor one of a directory the directory's.
	Strict bool
}

// Volume is a mounted disk that can fail. Its server process is the volume's to
// end, by Close.
type Volume struct {
	cfg    Config
	pid    int
	device uint32

	ended chan struct{} // closed when the server has ended
	how   error         // then: with what

	closing atomic.Bool // by Close
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

// Start starts a server process, mounts the volume, and returns when it is usable.
func Start(ctx context.Context, cfg Config) (_ *Volume, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("disk %s: %w", cfg.Mountpoint, err)
		}
	}()
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	var opened []*os.File
	defer func() {
		for _, f := range opened {
			_ = f.Close() // the server has its own
		}
	}()
	files, err := cfg.open(&opened)
	if err != nil {
		return nil, errors.Join(err, cfg.removeFiles())
	}
	ready, theirs, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, cfg.removeFiles())
	}
	defer ready.Close() //nolint:errcheck // read only
	opened = append(opened, theirs)
	files.ready = theirs

	v, err := launch(cfg, files)
	if err != nil {
		return nil, errors.Join(err, cfg.removeFiles())
	}
	_ = theirs.Close() // so that the server's end is seen
	hello, err := listenTo(ctx, ready)
	v.device = hello.Device
	if err != nil {
		return nil, errors.Join(err, v.abandon())
	}
	return v, nil
}

func (c *Config) complete() error {
	if c.Undo == "" {
		c.Undo = filepath.Clean(c.Backing) + ".undo"
	}
	for name, path := range map[string]string{"backing": c.Backing, "mountpoint": c.Mountpoint, "log file": c.LogFile, "socket": c.Socket, "undo": c.Undo} {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("%s %q: not an absolute path", name, path)
		}
	}
	return nil
}

// inherited are the files that a server is started with.
type inherited struct{ log, backing, undo, socket, ready, ns *os.File }

// open opens what the server inherits, and adds it to opened.
func (c *Config) open(opened *[]*os.File) (in inherited, err error) {
	add := func(f *os.File, err error) (*os.File, error) {
		if err == nil {
			*opened = append(*opened, f)
		}
		return f, err
	}
	if in.log, err = add(os.OpenFile(c.LogFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)); err != nil {
		return in, err
	}
	if in.backing, err = add(os.OpenFile(c.Backing, unix.O_PATH|unix.O_DIRECTORY, 0)); err != nil {
		return in, err
	}
	if in.ns, err = add(openNamespace(c.MountNS)); err != nil {
		return in, err
	}
	in.undo = in.backing
	if !c.NoUndo {
		if in.undo, err = add(c.makeUndo(in.backing)); err != nil {
			return in, err
		}
	}
	in.socket, err = add(listenOn(c.Socket))
	return in, err
}

// makeUndo makes the folder for undoing anew: what is left of a dead server is
// worth nothing.
func (c *Config) makeUndo(backing *os.File) (*os.File, error) {
	if err := os.RemoveAll(c.Undo); err != nil {
		return nil, err
	}
	if err := os.Mkdir(c.Undo, 0o700); err != nil {
		return nil, err
	}
	dir, err := os.OpenFile(c.Undo, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	var a, b unix.Stat_t
	err = errors.Join(unix.Fstat(int(backing.Fd()), &a), unix.Fstat(int(dir.Fd()), &b))
	if err == nil && a.Dev != b.Dev {
		err = fmt.Errorf("undo %s: not on the file system of %s\nhint: set Config.Undo to a folder that is", c.Undo, c.Backing)
	}
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return dir, nil
}

func listenOn(socket string) (*os.File, error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	path, done, err := socketPath(socket)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	f, err := l.File()
	return f, errors.Join(err, l.Close())
}

// launch starts the server: in its own session, with its output in a file and
// nothing of ours but what it needs.
func launch(cfg Config, in inherited) (*Volume, error) {
	text, err := json.Marshal(settings{Mountpoint: cfg.Mountpoint, Undo: !cfg.NoUndo, Strict: cfg.Strict})
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"brine-diskfault", cfg.Mountpoint}
	cmd.Env = []string{serverVar + "=" + string(text)}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = in.log, in.log
	cmd.ExtraFiles = []*os.File{in.backing, in.undo, in.socket, in.ready, in.ns}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	v := &Volume{cfg: cfg, pid: cmd.Process.Pid, ended: make(chan struct{})}
	go func() {
		v.how = cmd.Wait()
		close(v.ended)
	}()
	return v, nil
}

// listenTo waits for the server's greeting.
func listenTo(ctx context.Context, ready *os.File) (greeting, error) {
	stop := context.AfterFunc(ctx, func() { _ = ready.SetReadDeadline(past) }) // ends the wait
	defer stop()
	var hello greeting
	if err := json.NewDecoder(ready).Decode(&hello); err != nil {
		return hello, fmt.Errorf("the server did not come up: %w", asked(ctx, err))
	}
	if hello.Error != "" {
		return hello, errors.New(hello.Error)
	}
	return hello, nil
}

// PID is the server process's, to be adopted by what cleans up after a killed
// runner.
func (v *Volume) PID() int { return v.pid }

// Gone says how the server ended by itself, nil while it has not. What Close ends
// is not gone.
func (v *Volume) Gone() error {
	if v.closing.Load() || !v.hasEnded() {
		return nil
	}
	return fmt.Errorf("disk %s: %w", v.cfg.Mountpoint, v.gone())
}

// ask asks the server; its end is an error that says so.
func (v *Volume) ask(ctx context.Context, what request) (response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := make(chan struct{})
	defer close(watched)
	go func() {
		select {
		case <-v.ended:
			cancel(v.gone())
		case <-watched:
		}
	}()
	out, err := ask(ctx, v.cfg.Socket, what)
	if err != nil {
		select {
		case <-v.ended:
			err = v.gone()
		default:
		}
		return out, fmt.Errorf("disk %s: %s: %w", v.cfg.Mountpoint, what.Do, err)
	}
	return out, nil
}

// gone says how the server ended. It is called when it has.
func (v *Volume) gone() error {
	how := "exited"
	if v.how != nil {
		how = v.how.Error()
	}
	msg := fmt.Sprintf("its server is gone (%s)", how)
	if text, err := os.ReadFile(v.cfg.LogFile); err == nil && len(text) > 0 {
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		msg += "\nhint: " + v.cfg.LogFile + " ends with: " + lines[len(lines)-1]
	}
	return errors.New(msg)
}

// Calls is how many calls the volume has had, touched by rules or not.
func (v *Volume) Calls(ctx context.Context) (map[Op]uint64, error) {
	out, err := v.ask(ctx, request{Do: doCalls})
	if err != nil {
		return nil, err
	}
	return out.Receipt.Calls, nil
}

// Sync makes all that is in the volume durable, as if every file and directory had
// been fsynced; also what was changed in the backing folder from outside.
func (v *Volume) Sync(ctx context.Context) error {
	_, err := v.ask(ctx, request{Do: doSync})
	return err
}

// LosePower takes back all that is not durable (see the package's comment). It is
// called after the processes that use the volume were killed. Rules stay in force.
func (v *Volume) LosePower(ctx context.Context) (Loss, error) {
	out, err := v.ask(ctx, request{Do: doLosePower})
	if err != nil {
		return Loss{}, err
	}
	return *out.Loss, nil
}
