package observe

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// NetNS is a network namespace: Do runs f on a thread inside.
type NetNS interface{ Do(f func() error) error }

// Service is a service of a target and the ports that it listens on.
type Service struct {
	Name  string
	Ports []int
}

// Target is a node, or the clients. Its names are what tables show.
type Target struct {
	Node      string // "node1"; shown as node, and as pod NAMESPACE/NODE
	Namespace string // the cluster's name; "" is "default"
	Services  []Service
	NS        NetNS // where the interface is
	IfIndex   int   // of the interface; different for each target of one Observer
	Addrs     []netip.Addr
	Clients   bool // the test's own vantage point: no pod, no service
}

func (t *Target) namespace() string {
	if t.Namespace == "" {
		return "default"
	}
	return t.Namespace
}

func (t *Target) pod() string {
	if t.Clients {
		return ""
	}
	return t.namespace() + "/" + t.Node
}

// service names the service behind a local port as Pixie does: NAMESPACE/NAME, a JSON array where several could be.
func (t *Target) service(port int) string {
	var all []string
	for _, s := range t.Services {
		name := t.namespace() + "/" + s.Name
		for _, p := range s.Ports {
			if p == port {
				return name
			}
		}
		all = append(all, name)
	}
	switch len(all) {
	case 0:
		return ""
	case 1:
		return all[0]
	}
	return `["` + strings.Join(all, `","`) + `"]`
}

// filterPriority and filterHandle set our filters apart from others on the same interface.
const (
	filterPriority = 40_100
	filterHandle   = 1
)

// hook is the programs at one interface.
type hook struct {
	target Target
	nl     *netlink.Handle
	added  bool // the qdisc is ours
}

// Attach begins to see the traffic of a target: the programs are at its interface when it returns.
func (o *Observer) Attach(t Target) (err error) {
	h := &hook{target: t}
	o.mu.Lock()
	for _, other := range o.hooks {
		if other.target.IfIndex == t.IfIndex {
			err = fmt.Errorf("%s: interface %d is observed already, as %s", t.Node, t.IfIndex, other.target.Node)
		}
	}
	o.mu.Unlock()
	if err != nil {
		return err
	}
	err = t.NS.Do(func() (err error) {
		h.nl, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: netlink socket in its namespace: %w", t.Node, err)
	}
	o.mu.Lock()
	o.track.target(uint32(t.IfIndex), &t)
	o.mu.Unlock()
	if err := h.attach(o.prog.BrineSightIn.FD(), o.prog.BrineSightOut.FD()); err != nil {
		return errors.Join(fmt.Errorf("%s: observe interface %d: %w", t.Node, t.IfIndex, err), h.detach())
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hooks = append(o.hooks, h)
	return nil
}

// SetServices tells what a target runs, when that has changed.
func (o *Observer) SetServices(ifindex int, services []Service) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.track.setServices(uint32(ifindex), services)
}

func (h *hook) qdisc() *netlink.GenericQdisc {
	return &netlink.GenericQdisc{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: h.target.IfIndex, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT},
		QdiscType:  "clsact",
	}
}

func (h *hook) filter(parent uint32, fd int, name string) *netlink.BpfFilter {
	return &netlink.BpfFilter{
		FilterAttrs: netlink.FilterAttrs{
			LinkIndex: h.target.IfIndex, Parent: parent, Handle: filterHandle,
			Protocol: unix.ETH_P_ALL, Priority: filterPriority,
		},
		Fd: fd, Name: name, DirectAction: true,
	}
}

func (h *hook) attach(in, out int) error {
	switch err := h.nl.QdiscAdd(h.qdisc()); {
	case err == nil:
		h.added = true
	case !errors.Is(err, unix.EEXIST):
		return fmt.Errorf("add clsact: %w", err)
	}
	if err := h.nl.FilterAdd(h.filter(netlink.HANDLE_MIN_INGRESS, in, "brine_sight_in")); err != nil {
		return fmt.Errorf("attach at ingress: %w", err)
	}
	if err := h.nl.FilterAdd(h.filter(netlink.HANDLE_MIN_EGRESS, out, "brine_sight_out")); err != nil {
		return fmt.Errorf("attach at egress: %w", err)
	}
	return nil
}

// detach removes what attach made; an interface that is gone is fine.
func (h *hook) detach() error {
	if h.nl == nil {
		return nil
	}
	defer h.nl.Close()
	var err error
	if h.added {
		err = h.nl.QdiscDel(h.qdisc())
	} else {
		for _, parent := range []uint32{netlink.HANDLE_MIN_INGRESS, netlink.HANDLE_MIN_EGRESS} {
			err = errors.Join(err, gone(h.nl.FilterDel(h.filter(parent, -1, ""))))
		}
	}
	if err = gone(err); err != nil {
		return fmt.Errorf("%s: stop observing: %w", h.target.Node, err)
	}
	return nil
}

func gone(err error) error {
	if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return err
}
