package netfab

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// tunnel is a TUN device: what the kernel routes to it is read from its file,
// one IP packet a read, and what is written appears as received on it. It is
// gone when the file is closed.
//
// A TUN, not a TAP: without link addresses there are no neighbours to find.
// No offload is asked for, so the kernel cuts large TCP and UDP segments
// (TSO, UDP_SEGMENT) to the MTU and fills checksums in before they are read.
type tunnel struct {
	file    *os.File
	ifIndex int
}

// openTunnelHere makes a TUN device in the namespace that the calling thread is in.
func openTunnelHere(name string) (*tunnel, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/net/tun: open: %w\nhint: modprobe tun; in a container: add the device", err)
	}
	fail := func(err error) (*tunnel, error) { return nil, errors.Join(err, unix.Close(fd)) }
	req, err := unix.NewIfreq(name)
	if err != nil {
		return fail(fmt.Errorf("%s: %w", name, err))
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		return fail(fmt.Errorf("%s: create tun device: %w", name, err))
	}
	link, err := net.InterfaceByName(name)
	if err != nil {
		return fail(fmt.Errorf("%s: %w", name, err))
	}
	if link.MTU != MTU {
		return fail(fmt.Errorf("%s: MTU is %d, expected %d", name, link.MTU, MTU))
	}
	return &tunnel{file: os.NewFile(uintptr(fd), name), ifIndex: link.Index}, nil
}

// Close deletes the device and ends reads that wait.
func (t *tunnel) Close() error { return t.file.Close() }
