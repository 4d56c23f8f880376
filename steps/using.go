package steps

import (
	"context"

	"brine.test/brine/world"
)

// using states the sentences that write and read through the service's own client.
func using(sc Registrar) {
	sc.Step(`^"((?:[^"]|"")*)" (?:is|are) written to "((?:[^"]|"")*)" on ([^"]+?)( (?:within|for|while) .+)?$`, write)
	sc.Step(`^"((?:[^"]|"")*)" (?:is|are) read from ([^"]+?)( (?:within|for|while) .+)?$`, readKey)
	sc.Step(`^a write to ([^"]+?) (succeeds|fails|times out)( (?:within|for|while) .+)?$`, aWrite)
	sc.Step(`^a (stale )?read(?: of ("(?:[^"]|"")*"))? from ([^"]+?) (succeeds|fails|times out)( (?:within|for|while) .+)?$`, aRead)
	sc.Step(`^a (stale )?read of "((?:[^"]|"")*)" from ([^"]+?) returns (nothing|"(?:[^"]|"")*")( (?:within|for|while) .+)?$`, aReadReturns)
	sc.Step(`^a (stale )?read of "((?:[^"]|"")*)" from ([^"]+?) returns( (?:within|for|while) [^"]+)?:$`, aReadReturnsDoc)
	sc.Step(`^([^"]+) returns? (nothing|"(?:[^"]|"")*") for "((?:[^"]|"")*)"( (?:within|for|while) .+)?$`, eachReturns)
	sc.Step(`^(?:all nodes|every node|each node) agrees? on "((?:[^"]|"")*)"( (?:within|for|while) .+)?$`, allAgree)
}

// write writes a value under a key; it must be acknowledged. With "within" it is tried again until it is.
//
//	"v1" is written to "k" on node1
//	"v1" is written to "k" on the leader within 10s
func write(ctx context.Context, value, key, on, tail string) error {
	s := read(ctx)
	v, k, who, bound := s.data(value), s.data(key), s.who(on), s.bound(tail)
	return s.do(func(w *world.World) error { return w.Write(ctx, k, v, who, bound) })
}

// readKey reads a key; it must be answered, with whatever value or none.
//
//	"k" is read from node3
//	"k" is read from node3 within 10s
func readKey(ctx context.Context, key, from, tail string) error {
	s := read(ctx)
	k, who, bound := s.data(key), s.who(from), s.bound(tail)
	return s.do(func(w *world.World) error { return w.Read(ctx, k, who, bound) })
}

var outcomes = map[string]world.Expect{"succeeds": world.Succeeds, "fails": world.Fails, "times out": world.TimesOut}

// aWrite writes a fresh key and says what must come of it. It is tried again for up to 5 s, or what is left of "within":
// it succeeds when one attempt was acknowledged, fails when none was, and times out when none was even answered.
//
//	a write to node1 succeeds
//	a write to node1 fails for 5s
//	a write to node1 times out
func aWrite(ctx context.Context, to, outcome, tail string) error {
	s := read(ctx)
	who, bound := s.who(to), s.bound(tail)
	return s.do(func(w *world.World) error { return w.WriteExpect(ctx, who, outcomes[outcome], bound) })
}

// aRead reads, a key that nobody wrote where none is named, and says what must come of it, as for a write.
//
//	a read from node3 succeeds within 10s
//	a read from node3 fails
//	a read from node3 times out
//	a read of "k" from node3 fails
//	a stale read from node3 succeeds
func aRead(ctx context.Context, stale, key, from, outcome, tail string) error {
	s := read(ctx)
	k, who, bound := s.quoted(key), s.who(from), s.bound(tail)
	return s.do(func(w *world.World) error {
		return w.ReadExpect(ctx, k, who, world.ReadOptions{Stale: stale != ""}, outcomes[outcome], bound)
	})
}

// aReadReturns reads a key and compares its value. "nothing" means that the key is not there; "" is an empty value. A
// stale read asks the node for what it holds itself, where the client can.
//
//	a read of "k" from node3 returns "v1"
//	a stale read of "k" from node3 returns "v1" within 10s
//	a read of "k" from node1 returns nothing
func aReadReturns(ctx context.Context, stale, key, from, value, tail string) error {
	return read(ctx).returns(ctx, from, key, value, stale != "", tail)
}

// aReadReturnsDoc compares the value with the doc string.
//
//	a read of "k" from node3 returns:
//	a read of "k" from node3 returns within 10s:
func aReadReturnsDoc(ctx context.Context, stale, key, from, tail string) error {
	s := read(ctx)
	k, who, want, bound := s.data(key), s.who(from), s.doc(), s.bound(tail)
	return s.do(func(w *world.World) error {
		return w.ReadReturns(ctx, k, who, want, world.ReadOptions{Stale: stale != ""}, bound)
	})
}

// eachReturns reads a key from each node and compares each value.
//
//	every node returns "v1" for "k"
//	node1 and node2 return nothing for "k" within 10s
func eachReturns(ctx context.Context, from, value, key, tail string) error {
	return read(ctx).returns(ctx, from, key, value, false, tail)
}

func (s *words) returns(ctx context.Context, from, key, value string, stale bool, tail string) error {
	options := world.ReadOptions{Stale: stale, Nothing: value == "nothing"}
	k, who, want, bound := s.data(key), s.who(from), "", s.bound(tail)
	if !options.Nothing {
		want = s.quoted(value)
	}
	return s.do(func(w *world.World) error { return w.ReadReturns(ctx, k, who, want, options, bound) })
}

// allAgree reads a key from every node; the answers must be the same.
//
//	all nodes agree on "k"
//	all nodes agree on "k" within 10s
func allAgree(ctx context.Context, key, tail string) error {
	s := read(ctx)
	k, bound := s.data(key), s.bound(tail)
	return s.do(func(w *world.World) error { return w.AllAgree(ctx, k, bound) })
}
