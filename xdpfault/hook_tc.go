package xdpfault

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// tcHook puts the program at the clsact ingress of host-side veths. clsact is
// attached in 0.1 ms; tcx (kernel 6.6) costs a grace period for each port and
// is no faster afterwards.
type tcHook struct {
	nl   *netlink.Handle // its socket is in the switch namespace
	prog *ebpf.Program
}

func newTCHook(ns NetNS, prog *ebpf.Program) (tcHook, error) {
	h := tcHook{prog: prog}
	err := ns.Do(func() (err error) {
		h.nl, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return tcHook{}, fmt.Errorf("netlink socket in the switch namespace: %w", err)
	}
	return h, nil
}

func clsact(ifindex int) *netlink.GenericQdisc {
	return &netlink.GenericQdisc{
		QdiscAttrs: netlink.QdiscAttrs{
			LinkIndex: ifindex,
			Handle:    netlink.MakeHandle(0xffff, 0),
			Parent:    netlink.HANDLE_CLSACT,
		},
		QdiscType: "clsact",
	}
}

func (h *tcHook) attach(ifindex int) error { return h.attachProgram(ifindex, h.prog, "brine_tc") }

func (h *tcHook) attachProgram(ifindex int, prog *ebpf.Program, name string) error {
	if err := h.nl.QdiscAdd(clsact(ifindex)); err != nil {
		return fmt.Errorf("add clsact: %w", err)
	}
	filter := &netlink.BpfFilter{
		FilterAttrs: netlink.FilterAttrs{
			LinkIndex: ifindex,
			Parent:    netlink.HANDLE_MIN_INGRESS,
			Handle:    1,
			Protocol:  unix.ETH_P_ALL,
			Priority:  1,
		},
		Fd:           prog.FD(),
		Name:         name,
		DirectAction: true,
	}
	if err := h.nl.FilterAdd(filter); err != nil {
		return errors.Join(fmt.Errorf("attach the verdict to clsact: %w", err), h.detach(ifindex))
	}
	return nil
}

// detach removes the qdisc and with it the filter; what is gone is fine.
func (h *tcHook) detach(ifindex int) error {
	if h.nl == nil {
		return nil
	}
	err := h.nl.QdiscDel(clsact(ifindex))
	if err == nil || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return fmt.Errorf("remove clsact: %w", err)
}

func (h *tcHook) close() error {
	if h.nl != nil {
		h.nl.Close()
		h.nl = nil
	}
	return nil
}
