package xdpfault

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// arrivals sends n datagrams from a to b, one at a time with a pause before
// each, and gives how long each took from the call of send until the receiver's
// kernel had it, however late this program looks.
func (f *fabric) arrivals(a, b, n int, pause time.Duration) []time.Duration {
	f.t.Helper()
	in, out := f.nodes[b].listenUDP(f.t, f.nodes[b].ip, 4000), f.nodes[a].listenUDP(f.t, f.nodes[a].ip, 0)
	defer in.Close()
	defer out.Close()
	f.stampArrivals(in)
	to := &net.UDPAddr{IP: f.nodes[b].ip.AsSlice(), Port: 4000}
	var times []time.Duration
	for i := range n {
		time.Sleep(pause)
		sent := realtime()
		if _, err := out.WriteToUDP(numbered(i, 16), to); err != nil {
			f.t.Fatal(err)
		}
		if err := in.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			f.t.Fatal(err)
		}
		at, err := readStamped(in)
		if err != nil {
			f.t.Fatalf("datagram %d: %v", i, err)
		}
		times = append(times, time.Duration(at-sent))
	}
	slices.Sort(times)
	return times
}

// readStamped reads a datagram and tells when the kernel got it, as realtime does.
func readStamped(conn *net.UDPConn) (at int64, err error) {
	var buf [64]byte // the rest is not looked at
	var control [128]byte
	_, k, _, _, err := conn.ReadMsgUDP(buf[:], control[:])
	if err != nil {
		return 0, err
	}
	if k < unix.CmsgSpace(int(unsafe.Sizeof(unix.Timespec{}))) {
		return 0, fmt.Errorf("no time with it: %d bytes of control", k)
	}
	return (*unix.Timespec)(unsafe.Pointer(&control[unix.CmsgLen(0)])).Nano(), nil
}

func realtime() int64 {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_REALTIME, &now) // cannot fail with this clock
	return now.Nano()
}

// stampArrivals has the kernel note when it gets each packet of a socket.
func (f *fabric) stampArrivals(conn *net.UDPConn) {
	f.t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		f.t.Fatal(err)
	}
	var set error
	err = raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) })
	if err := errors.Join(err, set); err != nil {
		f.t.Fatal(err)
	}
}

// awaken measures how long a datagram takes from a to b, where the program at b
// has waited for it as long as given: what its waking takes without any fault.
func (f *fabric) awaken(a, b, n int, wait time.Duration) []time.Duration {
	f.t.Helper()
	in, out := f.nodes[b].listenUDP(f.t, f.nodes[b].ip, 4000), f.nodes[a].listenUDP(f.t, f.nodes[a].ip, 0)
	defer in.Close()
	defer out.Close()
	to := &net.UDPAddr{IP: f.nodes[b].ip.AsSlice(), Port: 4000}
	sent := make(chan time.Time, 1)
	var times []time.Duration
	buf := make([]byte, 64)
	for i := range n {
		time.AfterFunc(wait, func() {
			sent <- time.Now()
			_, _ = out.WriteToUDP(numbered(i, 16), to) // the reader says that it did not arrive
		})
		if err := in.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			f.t.Fatal(err)
		}
		if _, _, err := in.ReadFromUDP(buf); err != nil {
			f.t.Fatalf("datagram %d: %v", i, err)
		}
		got := time.Now()
		times = append(times, got.Sub(<-sent))
	}
	slices.Sort(times)
	return times
}
