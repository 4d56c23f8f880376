package observe

import "fmt"

// Loss tells what was not seen, or not kept.
type Loss struct {
	Events   uint64 // seen by the programs and handed over
	Lost     uint64 // events for which the ring had no room
	Bytes    uint64 // payload in them
	Gaps     uint64 // holes in connections: requests there may be missing
	Requests uint64 // requests known to be lost in holes
	Rows     uint64 // rows beyond a table's limit
}

// Any tells whether anything is missing.
func (l Loss) Any() bool { return l.Lost+l.Gaps+l.Requests+l.Rows > 0 }

// String says it for a person.
func (l Loss) String() string {
	if !l.Any() {
		return fmt.Sprintf("%d events seen, none lost", l.Events)
	}
	return fmt.Sprintf("%d events seen, %d lost (%d bytes), %d holes in connections, %d requests and %d rows lost",
		l.Events, l.Lost, l.Bytes, l.Gaps, l.Requests, l.Rows)
}

// loss adds what the programs counted; o.mu is held.
func (o *Observer) loss() Loss {
	l := o.track.loss
	var each []sightCounts
	if err := o.prog.BrineSeen.Lookup(uint32(0), &each); err == nil {
		for _, c := range each {
			l.Events += c.Events
			l.Lost += c.Lost
			l.Bytes += c.LostBytes
		}
	}
	return l
}

// mute ends the copying of a connection's payload; its packets are still counted.
func (o *Observer) mute(ifindex uint32, local, remote uint16, addr [16]byte) {
	_ = o.prog.BrineMute.Put(sightFlow{Ifindex: ifindex, Local: local, Remote: remote, Addr: addr}, sightQuiet{All: 1}) // only a saving
}
