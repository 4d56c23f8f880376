package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"brine.test/brine/containers/cgroup"
)

// guestTime is how long a guest may take to die.
const guestTime = 5 * time.Second

// Guest is a program of this machine that runs in the control group of a node or
// service: what it uses is used by the node, and what kills the node kills it. It
// sees the machine's files and network, not the container's.
//
// Nothing in the node knows of it. It is the caller's, to be ended by End.
type Guest struct {
	cmd   *exec.Cmd
	group *cgroup.Group
	own   bool // the group was made for it
	in    io.WriteCloser
	ended chan struct{}
}

var guests atomic.Int64

// Guest starts cmd in a control group of its own below the node's. When there is
// not CPU for all, it gets weight times as much as a service. Its standard input
// is a pipe: the program must wait for what is written there before it begins, for
// only then is it in its group in every hierarchy.
func (n *Node) Guest(cmd *exec.Cmd, weight int) (*Guest, error) {
	group, err := n.cgroup.MakeGuest("brine-guest"+strconv.FormatInt(guests.Add(1), 10), weight)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Name, err)
	}
	var g *Guest
	err = n.whileAwake(func() error {
		g, err = enter(cmd, group, true)
		return err
	})
	if err != nil {
		ctx, cancel := undo(context.Background())
		defer cancel()
		return nil, fmt.Errorf("%s: start %s: %w", n.Name, cmd.Path, errors.Join(err, group.Remove(ctx)))
	}
	return g, nil
}

// Guest starts cmd in the control group of the service, beside its own processes,
// as Node.Guest does. It must be ended before the service is started again.
func (s *Service) Guest(cmd *exec.Cmd) (*Guest, error) {
	err := s.up()
	var g *Guest
	if err == nil {
		err = s.node.whileAwake(func() error {
			g, err = enter(cmd, s.cgroup, false)
			return err
		})
	}
	if err != nil {
		return nil, s.errorf("start %s in it: %w", cmd.Path, err)
	}
	return g, nil
}

// whileAwake does f, which starts a process in the node, unless the node is
// paused: a process that is born into a frozen group stands before its exec, and
// whoever starts it stands with it.
func (n *Node) whileAwake(f func() error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.paused {
		return fmt.Errorf("%w\nhint: let it resume first", ErrPaused)
	}
	return f()
}

func enter(cmd *exec.Cmd, group *cgroup.Group, own bool) (_ *Guest, err error) {
	folder, err := group.OpenFolder()
	if err != nil {
		return nil, err
	}
	defer folder.Close() //nolint:errcheck // read only
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(folder.Fd())
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, in.Close())
	}
	g := &Guest{cmd: cmd, group: group, own: own, in: in, ended: make(chan struct{})}
	if err := g.watch(); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // the error that counts is the other one
		return nil, err
	}
	if err := group.JoinAll(cmd.Process.Pid); err != nil {
		_ = cmd.Process.Kill() // it may have ended by itself
		<-g.ended
		return nil, err
	}
	return g, nil
}

// watch waits for the guest's end, on a thread of its own. The guest is not waited
// for as a child before that: a change of the node's clock stops it with ptrace,
// and a wait for our child would be told so.
func (g *Guest) watch() error {
	fd, err := unix.PidfdOpen(g.PID(), 0)
	if err != nil {
		return err
	}
	go func() {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for n := 0; n == 0; {
			n, _ = unix.Poll(fds, -1) // may be interrupted
			n = max(n, 0)
		}
		_ = unix.Close(fd)
		_ = g.cmd.Wait() // that it was killed is known to who did it
		close(g.ended)
	}()
	return nil
}

// PID is the guest's, in the host's numbers.
func (g *Guest) PID() int { return g.cmd.Process.Pid }

// Write writes to the guest's standard input.
func (g *Guest) Write(p []byte) (int, error) { return g.in.Write(p) }

// Ended is closed when the guest has ended.
func (g *Guest) Ended() <-chan struct{} { return g.ended }

// CPU is the CPU time that the guest used so far; 0 for one in a service's group.
func (g *Guest) CPU() time.Duration {
	if !g.own {
		return 0
	}
	u, err := g.group.Usage()
	if err != nil {
		return 0 // gone with the node
	}
	return u.CPU
}

// End kills the guest, and removes its group. It may be called again.
func (g *Guest) End(ctx context.Context) error {
	_ = g.cmd.Process.Kill() // it may have ended by itself
	late := time.NewTimer(guestTime)
	defer late.Stop()
	select {
	case <-g.ended:
	case <-late.C:
		return fmt.Errorf("%s (pid %d) does not die", g.cmd.Path, g.PID())
	}
	_ = g.in.Close() // a pipe that nobody reads
	if !g.own {
		return nil
	}
	return g.group.Remove(ctx)
}
