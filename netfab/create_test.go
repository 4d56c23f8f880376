package netfab

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

var sizes = []int{3, 100, 1000}

func nodeNames(count int) []string {
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf("node%d", i+1)
	}
	return names
}

// nullSwitch carries nothing, so that a benchmark shows netfab's own time.
type nullSwitch struct{}

func (nullSwitch) Attach(Port) error { return nil }
func (nullSwitch) Detach(int) error  { return nil }
func (nullSwitch) Close() error      { return nil }

// BenchmarkCreate is a whole network of so many nodes, from nothing, without a
// switch's own work; then with the kernel's forwarding.
func BenchmarkCreate(b *testing.B) {
	needRoot(b)
	for _, with := range []struct {
		name string
		sw   func(*Namespace) (Switch, error)
	}{
		{"bare", func(*Namespace) (Switch, error) { return nullSwitch{}, nil }},
		{"kernel", nil},
	} {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%s/%d", with.name, size), func(b *testing.B) {
				names := nodeNames(size)
				for b.Loop() {
					n, err := New(b.Context(), Config{Nodes: names, Switch: with.sw})
					if err != nil {
						b.Fatal(err)
					}
					b.StopTimer()
					settle(b, n)
					b.StartTimer()
				}
			})
		}
	}
}

// settle closes a network and waits until the kernel has taken apart all that
// was closed up to now, which it does on the same processors, and under the
// same locks, that the next round needs. It does so in batches, one after the
// other: when the second of two that come later is gone, so is all before.
func settle(b *testing.B, n *Network) {
	b.Helper()
	if err := n.Close(); err != nil {
		b.Fatal(err)
	}
	settled(b)
}

func settled(b *testing.B) {
	b.Helper()
	for range 2 {
		n, err := New(b.Context(), Config{Switch: func(*Namespace) (Switch, error) { return nullSwitch{}, nil }})
		if err != nil {
			b.Fatal(err)
		}
		fd, err := unix.Open(n.Clients().NS().Path(), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			b.Fatal(err)
		}
		witness := &Namespace{name: "witness", fd: fd}
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
		for gone := false; !gone; {
			if err := witness.Do(func() error {
				_, err := net.InterfaceByName("eth0")
				gone = err != nil
				return nil
			}); err != nil {
				b.Fatal(err)
			}
		}
		if err := witness.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUnshare is the part of BenchmarkCreate that nobody can avoid.
func BenchmarkUnshare(b *testing.B) {
	needRoot(b)
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			for b.Loop() {
				held := make([]*Namespace, 0, size)
				if err := visit(func() error {
					for range size {
						ns, err := unshareHere("bare")
						if err != nil {
							return err
						}
						held = append(held, ns)
					}
					return nil
				}); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				for _, ns := range held {
					if err := ns.Close(); err != nil {
						b.Fatal(err)
					}
				}
				settled(b)
				b.StartTimer()
			}
		})
	}
}

// BenchmarkSysctls is the stating of one namespace's settings.
func BenchmarkSysctls(b *testing.B) {
	n := newNetwork(b)
	if err := n.Clients().NS().Do(func() error {
		for b.Loop() {
			if err := setHere(nodeSysctls); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkWire is one node's link, addresses and routes, with messages in
// one datagram as netfab does it, and with the library's calls.
func BenchmarkWire(b *testing.B) {
	n := newNetwork(b)
	b.Run("batched", func(b *testing.B) {
		benchmarkWire(b, n, func(node *Node, settings []sysctl) error {
			var err error
			if node.rt, err = rtSocketHere(); err != nil {
				return err
			}
			return errors.Join(setHere(settings), n.wire(node))
		})
	})
	b.Run("library", func(b *testing.B) {
		benchmarkWire(b, n, func(node *Node, settings []sysctl) error { return wireByLibrary(n, node, settings) })
	})
}

func benchmarkWire(b *testing.B, n *Network, wire func(*Node, []sysctl) error) {
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		node := newNode(n, "bench", 3000+i%1000)
		if err := visit(func() error {
			var err error
			if node.ns, err = unshareHere("bench"); err != nil {
				return err
			}
			settings, err := differHere(nodeSysctls)
			if err != nil {
				return err
			}
			b.StartTimer()
			err = wire(node, settings)
			b.StopTimer()
			return err
		}); err != nil {
			b.Fatal(err)
		}
		node.linked = true
		if err := n.demolish(node); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// wireByLibrary is wire with vishvananda/netlink's own calls.
func wireByLibrary(n *Network, node *Node, settings []sysctl) (err error) {
	if err := setHere(settings); err != nil {
		return err
	}
	p := node.Port()
	sw, err := netlink.NewHandleAt(nsHandle(n.ns), unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer sw.Close()
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer h.Close()
	veth := netlink.NewVeth(netlink.LinkAttrs{
		Name: p.IfName, Index: p.IfIndex, MTU: MTU, HardwareAddr: p.MAC, TxQLen: -1,
		NumTxQueues: 1, NumRxQueues: 1, Flags: net.FlagUp,
	})
	veth.PeerName, veth.PeerHardwareAddr, veth.PeerNamespace = p.PeerIfName, p.PeerMAC, netlink.NsFd(node.ns.fd)
	if err := sw.LinkAdd(veth); err != nil {
		return err
	}
	lo, err := h.LinkByName("lo")
	if err != nil {
		return err
	}
	eth, err := h.LinkByName("eth0")
	if err != nil {
		return err
	}
	index := eth.Attrs().Index
	errs := []error{h.LinkSetUp(lo), h.LinkSetUp(eth)}
	for i, a := range p.Addrs {
		prefix, gw, all := prefix4, gateway4, anywhere4
		if i == 1 {
			prefix, gw, all = prefix6, gateway6, anywhere6
		}
		ip := net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(prefix.Bits(), a.BitLen())}
		errs = append(errs,
			h.AddrAdd(eth, &netlink.Addr{IPNet: &ip, Flags: unix.IFA_F_NODAD | unix.IFA_F_NOPREFIXROUTE}),
			h.NeighAdd(&netlink.Neigh{LinkIndex: index, State: netlink.NUD_PERMANENT, IP: gw.AsSlice(), HardwareAddr: GatewayMAC, Family: family(a)}),
			h.RouteAdd(&netlink.Route{LinkIndex: index, Gw: gw.AsSlice(), Flags: int(netlink.FLAG_ONLINK), Family: family(a),
				Dst: &net.IPNet{IP: all.Addr().AsSlice(), Mask: net.CIDRMask(0, a.BitLen())}}))
	}
	return errors.Join(errs...)
}

func nsHandle(ns *Namespace) netns.NsHandle { return netns.NsHandle(ns.fd) }
