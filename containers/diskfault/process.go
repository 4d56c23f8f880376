package diskfault

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// serverVar turns a process of the program into a volume's server; it holds the
// server's settings.
const serverVar = "BRINE_DISKFAULT_SERVER"

// settings are what a server is told at its start.
type settings struct {
	Mountpoint string `json:"mountpoint"`
	Undo       bool   `json:"undo"`
	Strict     bool   `json:"strict"`
}

// The descriptors that a server inherits beside its output.
const (
	fdBacking = 3 + iota
	fdUndo    // anything, where nothing is undone
	fdSocket  // listening
	fdReady   // a pipe that takes one greeting
	fdMountNS
)

// greeting is what a server says when its volume is mounted, or cannot be.
type greeting struct {
	Error  string `json:"error,omitempty"`
	Device uint32 `json:"device"` // minor number, by which the kernel lists the connection
}

func init() {
	text := os.Getenv(serverVar)
	if text == "" {
		return
	}
	// The main goroutine is tied to the main thread while init functions run. The
	// threads that enter a mount namespace end with what they did there: this
	// process keeps none alive.
	if err := beServer(text); err != nil {
		fmt.Fprintln(os.Stderr, "diskfault:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func beServer(text string) error {
	ready := os.NewFile(fdReady, "ready")
	device, err := runServer(text, func(device uint32) {
		_ = json.NewEncoder(ready).Encode(greeting{Device: device}) // a runner that is gone needs none
		_ = ready.Close()
	})
	if err != nil {
		// Closed, if the greeting went out before.
		_ = json.NewEncoder(ready).Encode(greeting{Error: err.Error(), Device: device})
	}
	return err
}

// runServer mounts and serves, until the mount is gone. The device is set as soon
// as there is a mount.
func runServer(text string, ready func(device uint32)) (device uint32, err error) {
	var set settings
	if err := json.Unmarshal([]byte(text), &set); err != nil {
		return 0, fmt.Errorf("settings: %w", err)
	}
	for fd := fdBacking; fd <= fdMountNS; fd++ {
		unix.CloseOnExec(fd)
	}
	unix.Umask(0) // modes are the callers'
	raiseFiles()
	// The whole session, which is all threads of this process: a disk does not get
	// slow because processors are busy. Where it may not be raised, it stays.
	_ = unix.Setpriority(unix.PRIO_PGRP, 0, priority)
	s := &server{root: fdBacking}
	if set.Undo {
		u, err := newUndo(fdUndo, set.Strict)
		if err != nil {
			return 0, fmt.Errorf("undo: %w", err)
		}
		s.undo = u
	}
	socket := os.NewFile(fdSocket, "socket")
	l, err := net.FileListener(socket)
	if err != nil {
		return 0, errors.Join(err, socket.Close())
	}
	if err := socket.Close(); err != nil {
		return 0, err
	}
	fuseFD, device, err := mount(set.Mountpoint)
	if err != nil {
		return device, err
	}
	_ = unix.Close(fdMountNS) // or the namespace would live on with us
	return device, s.serve(fmt.Sprintf("/dev/fd/%d", fuseFD), func() {
		go s.listen(l)
		ready(device)
	})
}

// priority is the server's nice value.
const priority = -10

// raiseFiles takes all the descriptors that may be had: a directory in use and a
// file that was never fsynced take one each.
func raiseFiles() {
	var lim unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &lim) == nil {
		lim.Cur = lim.Max
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &lim) // the limit as it is will do
	}
}
