package xdpfault

// Stats is a link's traffic since its ports were attached.
type Stats struct {
	Sent    Count // put on the wire by From, before any harm
	Arrived Count // handed to To, after all harm
	// Rest is traffic of this link beyond the table's room for ports; it is in
	// neither of the others unless all ports were asked for.
	Rest Count
}

// LinkStats counts the system's packets of a link, by protocol and
// destination port where the match has them (its other fields are ignored).
// Later fragments without their first one count under no port.
func (e *Engine) LinkStats(l Link, m Match) Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	var s Stats
	if e.closed {
		return s
	}
	every := m.Proto == Any && m.DstPort == 0
	walk(e.prog.BrineTraffic, func(k verdictTrafficKey, t *verdictTraffic) {
		if int(k.Src) != l.From || int(k.Dst) != l.To {
			return
		}
		if k.Proto == 0 && k.Dport == 0 && !every {
			s.Rest.add(Count{t.Packets, t.Bytes})
			return
		}
		if m.Proto != Any && k.Proto != uint8(m.Proto) || m.DstPort != 0 && k.Dport != m.DstPort {
			return
		}
		s.Sent.add(Count{t.Packets, t.Bytes})
		s.Arrived.add(Count{
			Packets: t.Packets - t.StoppedPackets + t.ExtraPackets,
			Bytes:   t.Bytes - t.StoppedBytes + t.ExtraBytes,
		})
	})
	return s
}
