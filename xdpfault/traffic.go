package xdpfault

// Stats is a link's traffic since its ports were attached.
type Stats struct {
	Sent    Count // put on the wire by From, before any harm
	Arrived Count // handed to To, after all harm
	// Rest is traffic of this link beyond the table's room for ports; it is in
	// neither of the others unless all ports were asked for.
	Rest Count
}

// Traffic is what the kernel had counted at one moment, on all links. The zero
// value is no traffic.
type Traffic struct {
	rows []trafficRow
}

type trafficRow struct {
	verdictTrafficKey
	verdictTraffic
}

// Traffic reads all counters. It walks the whole table: one entry for each
// link, protocol and destination port that was ever used.
func (e *Engine) Traffic() Traffic {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all Traffic
	if e.closed {
		return all
	}
	walk(e.prog.BrineTraffic, func(k verdictTrafficKey, t *verdictTraffic) {
		all.rows = append(all.rows, trafficRow{k, *t})
	})
	return all
}

// Stats counts the system's packets of a link, by protocol and destination
// port where the match has them (its other fields are ignored). All as one end
// of the link is every port but the services'. Later fragments without their
// first one count under no port.
func (t Traffic) Stats(l Link, m Match) Stats {
	var s Stats
	for i := range t.rows {
		if r := &t.rows[i]; isEnd(l.From, r.Src) && isEnd(l.To, r.Dst) {
			s.add(r, m)
		}
	}
	return s
}

func isEnd(want int, port uint16) bool {
	return want == int(port) || want == All && port != Services
}

func (s *Stats) add(r *trafficRow, m Match) {
	every := m.Proto == Any && m.DstPort == 0
	if r.Proto == 0 && r.Dport == 0 && !every {
		s.Rest.add(Count{r.Packets, r.Bytes})
		return
	}
	if m.Proto != Any && r.Proto != uint8(m.Proto) || m.DstPort != 0 && r.Dport != m.DstPort {
		return
	}
	s.Sent.add(Count{r.Packets, r.Bytes})
	s.Arrived.add(Count{
		Packets: r.Packets - r.StoppedPackets + r.ExtraPackets,
		Bytes:   r.Bytes - r.StoppedBytes + r.ExtraBytes,
	})
}

// LinkStats is Stats of the traffic now.
func (e *Engine) LinkStats(l Link, m Match) Stats { return e.Traffic().Stats(l, m) }
