package steps

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"brine.test/brine/world"
	"brine.test/brine/world/history"
	"brine.test/brine/world/quantity"
)

// histories states the sentences that judge what the clients of workloads did.
func histories(sc Registrar) {
	sc.Step(`^the history (?:is|was) (linearizable|serializable|strictly serializable)( (?:within|for|while) .+)?$`, historyIs)
	sc.Step(`^the history (?:is|was) not (linearizable|serializable|strictly serializable)( (?:within|for|while) .+)?$`, historyIsNot)
	sc.Step(`^no acknowledged writes? (?:is|are|was|were) lost( (?:within|for|while) .+)?$`, noLostWrite)
	sc.Step(`^no writes? (?:appears?|appeared) twice( (?:within|for|while) .+)?$`, noDuplicate)
	sc.Step(`^no reads? (?:goes|go|went) back in time( (?:within|for|while) .+)?$`, noTimeTravel)
	sc.Step(`^the total (?:is|was) always (\d+)( (?:within|for|while) .+)?$`, totalAlways)
	sc.Step(`^the lock (?:is|was) never held twice( (?:within|for|while) .+)?$`, lockExclusion)
	sc.Step(`^an acknowledged write (?:is|was) (lost)( (?:within|for|while) .+)?$`, broken)
	sc.Step(`^a write (?:appears|appeared) (twice)( (?:within|for|while) .+)?$`, broken)
	sc.Step(`^a read (?:goes|went) (back in time)( (?:within|for|while) .+)?$`, broken)
	sc.Step(`^the lock (?:is|was) (held twice)( (?:within|for|while) .+)?$`, broken)
	sc.Step(`^the total (?:is|was) not always (\d+)( (?:within|for|while) .+)?$`, totalNotAlways)
	sc.Step(`^(at least|at most) ([\d.]+ ?(?:%|percent)) of (operations|reads|writes|the operations|the reads|the writes) succeeded( (?:within|for|while|before|after) .+)?$`, shareSucceeded)
	sc.Step(`^the longest outage (?:is|was) (below|above|at least|at most) ([^"]+?)( (?:within|for|while|before|after) .+)?$`, longestOutage)
	sc.Step(`^the (p[\d.]+|median|mean|average|max|maximum) latency of (operations|reads|writes) (?:is|was) (below|above|at least|at most) ([^"]+?)( (?:within|for|while|before|after) .+)?$`, latencyOf)
}

// historyIs judges what the clients did, key by key: linearizable means that each operation can have taken effect at one
// instant between its begin and its end; serializable, that they can have run one after the other, strictly so when that
// order is also the order of time. A violation shows the few operations that prove it, drawn. A history that is empty, or
// that cannot be decided in a minute, fails.
//
//	the history is linearizable
//	the history is serializable
//	the history is strictly serializable
func historyIs(ctx context.Context, what, tail string) error {
	return read(ctx).judge(ctx, orders[what], false, tail)
}

var orders = map[string]world.Judgement{"linearizable": world.Linearizable, "serializable": world.Serializable, "strictly serializable": world.StrictlySerializable}

// historyIsNot holds when the history certainly is not so: for services whose mistake is known. One that is, or that
// cannot be decided, fails.
//
//	the history is not linearizable
func historyIsNot(ctx context.Context, what, tail string) error {
	return read(ctx).judge(ctx, orders[what], true, tail)
}

var breaches = map[string]world.Judgement{
	"lost": world.NoLostWrite, "twice": world.NoDuplicate, "back in time": world.NoTimeTravel, "held twice": world.LockExclusion,
}

// broken holds when what should never happen did: for services whose mistake is known.
//
//	an acknowledged write is lost
//	a write appears twice
//	a read goes back in time
//	the lock is held twice
func broken(ctx context.Context, what, tail string) error {
	return read(ctx).judge(ctx, breaches[what], true, tail)
}

// totalNotAlways holds when all accounts together held something else in some read.
//
//	the total is not always 1000
func totalNotAlways(ctx context.Context, total, tail string) error {
	s := read(ctx)
	n := s.number(total)
	s.whole(tail)
	return s.do(func(w *world.World) error { return w.TotalAlways(ctx, n, true) })
}

// noLostWrite judges that what was acknowledged is there in the final reads: elements of sets, lists and queues,
// increments of counters, and of each register, lock and account the last write or a later one.
//
//	no acknowledged write is lost
func noLostWrite(ctx context.Context, tail string) error {
	return read(ctx).judge(ctx, world.NoLostWrite, false, tail)
}

// noDuplicate judges that nothing took effect twice: no element is in a list twice or comes out of a queue twice, no
// counter is above the number of increments, and what a register, a lock, an account or an element of a set held does not
// come back on a node after something else was read there in its place.
//
//	no write appears twice
func noDuplicate(ctx context.Context, tail string) error {
	return read(ctx).judge(ctx, world.NoDuplicate, false, tail)
}

// noTimeTravel judges that no client read something older than it had read before.
//
//	no read goes back in time
func noTimeTravel(ctx context.Context, tail string) error {
	return read(ctx).judge(ctx, world.NoTimeTravel, false, tail)
}

// lockExclusion judges that no two clients were certain at the same time that they held the lock.
//
//	the lock is never held twice
func lockExclusion(ctx context.Context, tail string) error {
	return read(ctx).judge(ctx, world.LockExclusion, false, tail)
}

// totalAlways judges that all accounts together held so much in every read.
//
//	the total is always 1000
func totalAlways(ctx context.Context, total, tail string) error {
	s := read(ctx)
	n := s.number(total)
	s.whole(tail)
	return s.do(func(w *world.World) error { return w.TotalAlways(ctx, n, false) })
}

func (s *words) judge(ctx context.Context, j world.Judgement, broken bool, tail string) error {
	s.whole(tail)
	return s.do(func(w *world.World) error { return w.JudgeHistory(ctx, j, broken) })
}

// whole refuses a tail where a part of a history cannot be judged.
func (s *words) whole(tail string) {
	s.none(tail, "a history is judged as a whole, when the clients have stopped\nhint: leave the time bound away")
}

// shareSucceeded judges which part of the operations was served, in all of the work or while a harm was on, before it or
// after it was over. A compare-and-set that met another value was served; what was answered only when the harm was over was
// not served while it was on.
//
//	at least 99% of operations succeeded
//	at least 99.5% of writes succeeded while node2 was isolated
//	at most 10% of writes succeeded while node1 and node2 were isolated
//	at least 99% of operations succeeded before node2 was isolated
//	at least 99% of operations succeeded after node2 was isolated
func shareSucceeded(ctx context.Context, how, share, which, tail string) error {
	s := read(ctx)
	part, err := quantity.Share(share)
	s.keep(err)
	bound := s.boundOfWork(tail)
	return s.do(func(w *world.World) error {
		return w.Succeeded(ctx, history.Which(strings.TrimPrefix(which, "the ")), world.Compare(how), part, bound)
	})
}

// longestOutage judges the longest time in which no operation of any client was served, in all of the work or while a
// harm was on.
//
//	the longest outage was below 5s
//	the longest outage was above 500ms while the leader was killed
//	the longest outage was below 500ms after node2 was isolated
func longestOutage(ctx context.Context, how, limit, tail string) error {
	s := read(ctx)
	d, bound := s.duration(limit), s.boundOfWork(tail)
	return s.do(func(w *world.World) error { return w.LongestOutage(ctx, compares[how], d, bound) })
}

// latencyOf judges how long clients waited for answers, or until they gave up, in all of the work or while a harm was on.
// At a rate, an operation's time counts from when it was due.
//
//	the p99 latency of writes was below 200ms
//	the median latency of reads was at most 20ms while node2 was isolated
//	the p99 latency of writes was below 200ms before node2 was isolated
//	the maximum latency of operations was below 2s
func latencyOf(ctx context.Context, which, of, how, limit, tail string) error {
	s := read(ctx)
	p := s.percentile(which)
	d, bound := s.duration(limit), s.boundOfWork(tail)
	return s.do(func(w *world.World) error { return w.Latency(ctx, history.Which(of), p, compares[how], d, bound) })
}

// compares are the comparisons; below and above include the bound.
var compares = map[string]world.Compare{"below": world.AtMost, "at most": world.AtMost, "above": world.AtLeast, "at least": world.AtLeast}

// percentile reads which latency: 0 is the mean.
func (s *words) percentile(text string) float64 {
	switch text {
	case "mean", "average":
		return 0
	case "median":
		return 50
	case "max", "maximum":
		return 100
	}
	p, err := strconv.ParseFloat(strings.TrimPrefix(text, "p"), 64)
	if err != nil || p <= 0 || p > 100 {
		s.keep(fmt.Errorf("%s: no percentile\nhint: write p50, p99, p99.9, median, mean or maximum", text))
	}
	return p
}
