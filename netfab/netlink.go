package netfab

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// rtSocket is a route netlink socket that belongs to the namespace it was
// opened in and can be used from any thread; one goroutine at a time.
//
// The library's own calls open, send and wait once for each message, with a
// fresh buffer of 64 KiB for each answer: for a thousand nodes of eight
// messages each that is most of the time which is not the kernel's (see
// bench/create.txt). Here the messages, built with the library's types, go out
// in one datagram.
type rtSocket struct {
	fd   int
	seq  uint32
	out  []byte
	what []string // what each message in out does, for errors
	in   [16 << 10]byte
}

// rtSocketHere opens a socket in the namespace that the calling thread is in.
func rtSocketHere() (*rtSocket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open netlink socket: %w%s", err, descriptorHint(err))
	}
	// An acknowledgement without a copy of the whole request (4.3).
	if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1); err != nil {
		return nil, errors.Join(fmt.Errorf("netlink socket: set NETLINK_CAP_ACK: %w", err), unix.Close(fd))
	}
	return &rtSocket{fd: fd}, nil
}

func (s *rtSocket) close() error { return unix.Close(s.fd) }

// add queues a request. what completes the sentence "cannot …".
func (s *rtSocket) add(req *nl.NetlinkRequest, what string) {
	s.seq++
	req.Seq = s.seq
	req.Flags |= unix.NLM_F_ACK
	s.out = append(s.out, req.Serialize()...)
	s.what = append(s.what, what)
}

// flush sends what was queued and reads every acknowledgement. The kernel
// carries the requests out in order and goes on after one that fails; the
// error is the first one's.
func (s *rtSocket) flush() error {
	what := s.what
	first := s.seq - uint32(len(what)) + 1
	out := s.out
	s.what, s.out = s.what[:0], s.out[:0]
	if len(what) == 0 {
		return nil
	}
	if err := unix.Sendto(s.fd, out, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("send %d netlink requests: %w", len(what), err)
	}
	var failed error
	for acked := 0; acked < len(what); {
		n, err := unix.Read(s.fd, s.in[:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read netlink acknowledgements: %w", err)
		}
		for b := s.in[:n]; len(b) >= unix.NLMSG_HDRLEN; {
			size := int(nl.NativeEndian().Uint32(b))
			if size < unix.NLMSG_HDRLEN || size > len(b) {
				return fmt.Errorf("netlink answer of %d bytes in %d: malformed", size, len(b))
			}
			seq := nl.NativeEndian().Uint32(b[8:])
			if nl.NativeEndian().Uint16(b[4:]) == unix.NLMSG_ERROR && seq-first < uint32(len(what)) {
				acked++
				code := int32(nl.NativeEndian().Uint32(b[unix.NLMSG_HDRLEN:]))
				if code != 0 && failed == nil {
					failed = fmt.Errorf("%s: %w", what[seq-first], unix.Errno(-code))
				}
			}
			b = b[min(len(b), (size+3)&^3):]
		}
	}
	return failed
}
