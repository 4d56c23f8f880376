package netfab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"

	"github.com/miekg/dns"
)

// answerTTL, in seconds, is 0: names change at once when nodes come and go,
// and a fault of name resolution must not hide behind a cache.
const answerTTL = 0

// nameServer answers A, AAAA and PTR questions from the table, over UDP and
// TCP, IPv4 and IPv6, at the services' addresses. Who asks is known by the
// source address, so that each node can be harmed by itself.
type nameServer struct {
	names   *nameTable
	base    context.Context
	servers []*dns.Server
	wg      sync.WaitGroup

	mu       sync.RWMutex
	upstream func(context.Context, *dns.Msg) (*dns.Msg, error) // for names that are not ours; nil: there are none
}

// serveNames opens the server's sockets inside the services' namespace; ctx's
// end gives up the questions that wait.
func serveNames(ctx context.Context, at *Node, names *nameTable) (*nameServer, error) {
	s := &nameServer{names: names, base: ctx}
	for _, ip := range []netip.Addr{at.IP, at.IP6} {
		addr := netip.AddrPortFrom(ip, 53)
		err := at.ns.Do(func() error {
			pc, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
			if err != nil {
				return err
			}
			s.servers = append(s.servers, &dns.Server{PacketConn: pc, Handler: s})
			l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
			if err != nil {
				return err
			}
			s.servers = append(s.servers, &dns.Server{Listener: l, Handler: s})
			return nil
		})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("name server: %w", err), s.closeSockets())
		}
	}
	for _, srv := range s.servers {
		started := make(chan struct{})
		srv.NotifyStartedFunc = func() { close(started) }
		s.wg.Go(func() {
			// Only a closed socket ends it: what went wrong before, an asker sees.
			_ = srv.ActivateAndServe()
		})
		<-started
	}
	return s, nil
}

func (s *nameServer) closeSockets() error {
	var errs []error
	for _, srv := range s.servers {
		if srv.PacketConn != nil {
			errs = append(errs, srv.PacketConn.Close())
		}
		if srv.Listener != nil {
			errs = append(errs, srv.Listener.Close())
		}
	}
	return errors.Join(errs...)
}

// Close ends the server and waits for its goroutines. Questions that a harm
// holds back end with the context that the server was made with.
func (s *nameServer) Close() error {
	var errs []error
	for _, srv := range s.servers {
		errs = append(errs, srv.Shutdown())
	}
	s.wg.Wait()
	return errors.Join(errs...)
}

// setUpstream says where names are asked that the table does not know.
func (s *nameServer) setUpstream(f func(context.Context, *dns.Msg) (*dns.Msg, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.upstream = f
}

// ServeDNS answers one question.
func (s *nameServer) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	if asker := s.asker(w.RemoteAddr()); asker != nil {
		fault, err := asker.faults.suffer(s.base)
		if err != nil || fault == NamesTimeOut {
			return
		}
		if fault == NamesServFail {
			s.reply(w, q, new(dns.Msg).SetRcode(q, dns.RcodeServerFailure))
			return
		}
	}
	s.reply(w, q, s.answer(s.base, q))
}

func (s *nameServer) asker(a net.Addr) *Node {
	switch a := a.(type) {
	case *net.UDPAddr:
		return s.names.owner(a.AddrPort().Addr())
	case *net.TCPAddr:
		return s.names.owner(a.AddrPort().Addr())
	}
	return nil
}

// reply fits an answer to what the asker can take and sends it. An asker that
// went away is no error of the server's.
func (s *nameServer) reply(w dns.ResponseWriter, q, m *dns.Msg) {
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
		size := dns.MinMsgSize
		if opt := q.IsEdns0(); opt != nil {
			size = max(size, int(opt.UDPSize()))
			if m.IsEdns0() == nil {
				m.SetEdns0(MTU-80, false)
			}
		}
		m.Truncate(min(size, MTU-80))
	}
	_ = w.WriteMsg(m)
}

// answer finds what to say to a question when no harm is on.
func (s *nameServer) answer(ctx context.Context, q *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(q)
	m.Authoritative, m.RecursionAvailable = true, true
	if q.Opcode != dns.OpcodeQuery || len(q.Question) != 1 {
		return m.SetRcode(q, dns.RcodeNotImplemented)
	}
	ask := q.Question[0]
	if ask.Qtype == dns.TypePTR {
		if a, ok := reverse(ask.Name); ok && (prefix4.Contains(a) || prefix6.Contains(a)) {
			if n := s.names.owner(a); n != nil {
				m.Answer = append(m.Answer, &dns.PTR{Hdr: answerHeader(ask, dns.TypePTR), Ptr: dns.Fqdn(n.Name)})
				return m
			}
			return m.SetRcode(q, dns.RcodeNameError)
		}
	}
	addrs, ours := s.names.lookup(ask.Name)
	if !ours && canonical(ask.Name) == "localhost" {
		addrs, ours = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, true
	}
	if !ours {
		return s.elsewhere(ctx, q)
	}
	for _, a := range addrs {
		switch {
		case a.Is4() && (ask.Qtype == dns.TypeA || ask.Qtype == dns.TypeANY):
			m.Answer = append(m.Answer, &dns.A{Hdr: answerHeader(ask, dns.TypeA), A: a.AsSlice()})
		case a.Is6() && (ask.Qtype == dns.TypeAAAA || ask.Qtype == dns.TypeANY):
			m.Answer = append(m.Answer, &dns.AAAA{Hdr: answerHeader(ask, dns.TypeAAAA), AAAA: a.AsSlice()})
		}
	}
	return m
}

// elsewhere answers for a name that is not in the table.
func (s *nameServer) elsewhere(ctx context.Context, q *dns.Msg) *dns.Msg {
	s.mu.RLock()
	upstream := s.upstream
	s.mu.RUnlock()
	if upstream == nil {
		return new(dns.Msg).SetRcode(q, dns.RcodeNameError)
	}
	m, err := upstream(ctx, q)
	if err != nil {
		return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
	}
	m.Id = q.Id
	return m
}

func answerHeader(q dns.Question, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: q.Name, Rrtype: rrtype, Class: dns.ClassINET, Ttl: answerTTL}
}

// reverse reads the address out of a name below in-addr.arpa or ip6.arpa.
func reverse(name string) (netip.Addr, bool) {
	labels := dns.SplitDomainName(canonical(name))
	switch {
	case len(labels) == 6 && labels[5] == "arpa" && labels[4] == "in-addr":
		var b [4]byte
		for i := range b {
			v, err := strconv.ParseUint(labels[3-i], 10, 8)
			if err != nil {
				return netip.Addr{}, false
			}
			b[i] = byte(v)
		}
		return netip.AddrFrom4(b), true
	case len(labels) == 34 && labels[33] == "arpa" && labels[32] == "ip6":
		var b [16]byte
		for i := range 32 {
			v, err := strconv.ParseUint(labels[31-i], 16, 4)
			if err != nil {
				return netip.Addr{}, false
			}
			b[i/2] = b[i/2]<<4 | byte(v)
		}
		return netip.AddrFrom16(b), true
	}
	return netip.Addr{}, false
}
