package xdpfault

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// lineName is the delay line's device in the switch namespace.
const lineName = "brine-line"

// lineRing is how many packets may wait for the delay line to read them. Debian's
// 6.1 refuses 32,768 and more.
const lineRing = 32_000

// openLineDevice makes the TAP and sets it up; it goes with its descriptor.
// Offered offloads let a sender's large segments through whole.
func openLineDevice(ns NetNS) (fd, ifindex int, err error) {
	fd = -1
	err = ns.Do(func() error {
		fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("open /dev/net/tun: %w\nhint: modprobe tun", err)
		}
		ifr, err := unix.NewIfreq(lineName)
		if err != nil {
			return err
		}
		ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR | unix.IFF_TUN_EXCL)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
			return fmt.Errorf("make TAP %s: %w", lineName, err)
		}
		if err := offerOffloads(fd); err != nil {
			return err
		}
		ifindex, err = configureLine()
		return err
	})
	if err != nil && fd >= 0 {
		err = errors.Join(err, unix.Close(fd))
		fd = -1
	}
	return fd, ifindex, err
}

// offerOffloads takes UDP segmentation too where the kernel has it (6.2).
func offerOffloads(fd int) error {
	tcp := unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6 | unix.TUN_F_TSO_ECN
	err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, tcp|unix.TUN_F_USO4|unix.TUN_F_USO6)
	if errors.Is(err, unix.EINVAL) {
		err = unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, tcp)
	}
	if err != nil {
		return fmt.Errorf("TAP %s: offloads: %w", lineName, err)
	}
	return nil
}

func configureLine() (int, error) {
	nl, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return 0, err
	}
	defer nl.Close()
	tap, err := nl.LinkByName(lineName)
	if err != nil {
		return 0, fmt.Errorf("TAP %s: %w", lineName, err)
	}
	for _, setting := range []struct {
		name string
		set  func() error
	}{
		{"no address of its own", func() error { return nl.LinkSetIP6AddrGenMode(tap, 1) }}, // it sends nothing by itself
		{"MTU", func() error { return nl.LinkSetMTU(tap, 65521) }},
		{"queue length", func() error { return nl.LinkSetTxQLen(tap, lineRing) }},
		{"up", func() error { return nl.LinkSetUp(tap) }},
	} {
		if err := setting.set(); err != nil {
			return 0, fmt.Errorf("TAP %s: set %s: %w", lineName, setting.name, err)
		}
	}
	return tap.Attrs().Index, nil
}
