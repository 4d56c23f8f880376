package doctor

import (
	"fmt"
	"runtime"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// inNamespace calls f in a new network namespace, which is gone when f returns:
// the goroutine's thread alone is in it, and ends locked.
func inNamespace(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread must not serve others
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("unshare: %w", err)
			return
		}
		done <- f()
	}()
	return <-done
}

// tryVeth makes a pair of links.
func tryVeth() (string, error) {
	return "a pair of links made", inNamespace(func() error {
		_, err := makeVeth()
		return err
	})
}

func makeVeth() (netlink.Link, error) {
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "brine0"}, PeerName: "brine1"}
	if err := netlink.LinkAdd(veth); err != nil {
		return nil, fmt.Errorf("veth: add: %w", err)
	}
	for _, name := range []string{"brine0", "brine1"} {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return nil, fmt.Errorf("%s: find: %w", name, err)
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return nil, fmt.Errorf("%s: set up: %w", name, err)
		}
	}
	return netlink.LinkByName("brine0")
}

// tryTC attaches a program that redirects to a link's peer at a link's clsact
// ingress, as xdpfault does.
func tryTC() (string, error) {
	return "redirect to a peer attached at clsact", inNamespace(func() error {
		link, err := makeVeth()
		if err != nil {
			return err
		}
		prog, err := load(ebpf.SchedCLS, asm.Instructions{
			asm.Mov.Imm(asm.R1, int32(link.Attrs().Index)),
			asm.Mov.Imm(asm.R2, 0),
			asm.FnRedirectPeer.Call(),
			asm.Return(),
		})
		if err != nil {
			return err
		}
		defer prog.Close()
		qdisc := &netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{
			LinkIndex: link.Attrs().Index, Parent: netlink.HANDLE_CLSACT, Handle: netlink.MakeHandle(0xffff, 0),
		}}
		if err := netlink.QdiscAdd(qdisc); err != nil {
			return fmt.Errorf("clsact: add: %w", err)
		}
		filter := &netlink.BpfFilter{
			FilterAttrs: netlink.FilterAttrs{
				LinkIndex: link.Attrs().Index, Parent: netlink.HANDLE_MIN_INGRESS, Handle: 1, Protocol: unix.ETH_P_ALL,
			},
			Fd: prog.FD(), Name: "brine_doctor", DirectAction: true,
		}
		if err := netlink.FilterAdd(filter); err != nil {
			return fmt.Errorf("clsact: attach a program: %w", err)
		}
		return nil
	})
}

// tryXDP attaches a program to a veth in native mode.
func tryXDP() (string, error) {
	return "attached to a veth, native mode", inNamespace(func() error {
		link, err := makeVeth()
		if err != nil {
			return err
		}
		const pass = 2 // XDP_PASS
		prog, err := load(ebpf.XDP, asm.Instructions{asm.Mov.Imm(asm.R0, pass), asm.Return()})
		if err != nil {
			return err
		}
		defer prog.Close()
		if err := netlink.LinkSetXdpFdWithFlags(link, prog.FD(), unix.XDP_FLAGS_DRV_MODE); err != nil {
			return fmt.Errorf("attach to a veth: %w", err)
		}
		return nil
	})
}

func load(kind ebpf.ProgramType, code asm.Instructions) (*ebpf.Program, error) {
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Name: "brine_doctor", Type: kind, Instructions: code, License: "GPL"})
	if err != nil {
		return nil, fmt.Errorf("load a program: %w", err)
	}
	return prog, nil
}

// tryTAP makes a TAP device.
func tryTAP() (string, error) {
	return "a device made, for the delay line in user space (netem and fq are not used)", inNamespace(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("/dev/net/tun: %w", err)
		}
		defer unix.Close(fd)
		req, err := unix.NewIfreq("brinetap")
		if err != nil {
			return err
		}
		req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
			return fmt.Errorf("/dev/net/tun: make a TAP: %w", err)
		}
		return nil
	})
}
