package steps

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"brine.test/brine/world"
	"brine.test/brine/world/history"
	"brine.test/brine/world/quantity"
)

// work states the sentences that let clients work. What may follow each of them, in any order, is read by workTail.
func work(sc Registrar) {
	sc.Step(`^(\d+) clients? (reads? and writes?|(?:reads?(?:,| and) writes?(?:,|,? and) )?compares? and sets?) (a|\d+) registers?( .+)?$`, workRegisters)
	sc.Step(`^(\d+) clients? (adds? to a set|appends? to a list|increments? a counter|takes? turns on a lock|uses? a queue)( .+)?$`, workOn)
	sc.Step(`^(\d+) clients? appends? to (\d+) lists?( .+)?$`, workLists)
	sc.Step(`^(\d+) clients? transfers? between (\d+) accounts?( .+)?$`, workAccounts)
	sc.Step(`^the clients stop( .+)?$`, clientsStop)
}

// workRegisters lets clients read and write registers, or compare and set them as well, each write a value of its own:
// for a time that the sentence waits ("for 20s"), for the next time, or continuously, until the clients stop. Client i
// asks node ((i−1) mod N)+1, unless "to the leader" or "to any node" stands there; a client's next operation begins about
// 10 ms after its last one began, unless "at 100 operations per second" does. No operation is ever tried again; while a
// client waits longer than a second for an answer, another stands in for it, with a number of its own. "With stale reads" a
// node may answer with what it holds itself, however old, where the service's client can ask for that. After the clients
// stop, final reads are made from the leader where there is one.
//
//	5 clients read and write 3 registers for 20s
//	5 clients read and write 3 registers for the next 20s
//	5 clients read and write 3 registers continuously
//	5 clients compare and set 3 registers continuously to any node
//	5 clients read, write and compare and set 3 registers to the leader for 20s
//	5 clients read and write 3 registers at 100 operations per second for 20s
//	5 clients read and write 3 registers with stale reads for 20s
func workRegisters(ctx context.Context, clients, what, registers, tail string) error {
	s := read(ctx)
	spec := world.WorkSpec{Work: history.Registers, Clients: s.number(clients), Keys: 1, CAS: strings.Contains(what, "compare")}
	if registers != "a" {
		spec.Keys = s.number(registers)
	}
	return s.start(ctx, spec, tail)
}

var worksOn = map[string]history.Work{
	"set": history.Set, "list": history.List, "counter": history.Counter, "lock": history.Lock, "queue": history.Queue,
}

// workOn lets clients work on one thing: add elements to a set, each a fresh key; append to a list; increment a counter;
// take turns on a lock; put into a queue and take out. What follows is as for registers. All but the set need a client
// that can compare and set.
//
//	5 clients add to a set for 20s
//	5 clients append to a list continuously
//	5 clients increment a counter for the next 20s
//	5 clients take turns on a lock for 20s to any node
//	5 clients use a queue for 20s
func workOn(ctx context.Context, clients, what, tail string) error {
	s := read(ctx)
	spec := world.WorkSpec{Work: worksOn[what[strings.LastIndexByte(what, ' ')+1:]], Clients: s.number(clients)}
	return s.start(ctx, spec, tail)
}

// workAccounts lets clients transfer amounts between accounts that hold 1000 together, two at one instant, and read all
// of them at one instant. It needs a client that can change several keys at once.
//
//	5 clients transfer between 10 accounts for 20s
func workAccounts(ctx context.Context, clients, accounts, tail string) error {
	s := read(ctx)
	return s.start(ctx, world.WorkSpec{Work: history.Accounts, Clients: s.number(clients), Keys: s.number(accounts)}, tail)
}

// workLists lets clients append to several lists and read them in transactions of up to three of them, as Elle's clients do:
// for judging that a history is serializable. It needs a client that can change several keys at once.
//
//	5 clients append to 3 lists for 20s
func workLists(ctx context.Context, clients, lists, tail string) error {
	s := read(ctx)
	return s.start(ctx, world.WorkSpec{Work: history.Lists, Clients: s.number(clients), Keys: s.number(lists)}, tail)
}

// clientsStop lets the clients of all workloads stop, and makes the final reads.
//
//	the clients stop
func clientsStop(ctx context.Context, tail string) error {
	s := read(ctx)
	s.none(tail, "the clients stop now, and for good\nhint: write `the clients stop`, after `I wait 5s` where they are to work on")
	return s.do(func(w *world.World) error { return w.StopWork(ctx) })
}

func (s *words) start(ctx context.Context, spec world.WorkSpec, tail string) error {
	length := s.workTail(&spec, tail)
	return s.do(func(w *world.World) error { return w.StartWork(ctx, spec, length) })
}

var (
	workLength = regexp.MustCompile(`^(continuously|for (?:the next )?[\d.]+ ?[a-zµ]+(?:[\d.]+[a-zµ]+)*)(?: |$)`)
	workTo     = regexp.MustCompile(`^to (the leader|any node|their own nodes?)(?: |$)`)
	workRate   = regexp.MustCompile(`^at (\d[\d.]* ?(?:(?:operations?|requests?) (?:per|a) (?:second|minute)|/s))(?: |$)`)
	workStale  = regexp.MustCompile(`^with stale reads(?: |$)`)
	workUpon   = regexp.MustCompile(`^on ([A-Za-z][A-Za-z0-9_.-]*)(?: |$)`)
)

// workTail reads how long clients work, whom they ask and how fast, in any order.
func (s *words) workTail(spec *world.WorkSpec, tail string) world.Length {
	length, given := world.Length{}, false
	rest := strings.TrimSpace(tail)
	for rest != "" && s.err == nil {
		var m []string
		switch {
		case !given && workLength.MatchString(rest):
			m, given = workLength.FindStringSubmatch(rest), true
			if m[1] != "continuously" {
				length = s.length(" " + m[1])
			}
		case workTo.MatchString(rest):
			m = workTo.FindStringSubmatch(rest)
			spec.To = map[string]world.WorkRoute{"the leader": world.ToLeader, "any node": world.ToAny}[m[1]]
		case workRate.MatchString(rest):
			m = workRate.FindStringSubmatch(rest)
			rate, err := quantity.RequestRate(strings.Replace(m[1], "operation", "request", 1))
			s.keep(err)
			spec.Rate = rate
		case workStale.MatchString(rest):
			m = workStale.FindStringSubmatch(rest)
			spec.Stale = true
		case workUpon.MatchString(rest):
			m = workUpon.FindStringSubmatch(rest)
			spec.Service = m[1]
		default:
			s.keep(fmt.Errorf("%q: cannot follow here\nhint: write `for 20s`, `for the next 20s` or `continuously`; also `to the leader`, `to any node`, `at 100 operations per second`, `with stale reads`, `on redis`", rest))
			continue
		}
		rest = strings.TrimSpace(rest[len(m[0]):])
	}
	if !given {
		s.keep(fmt.Errorf("how long the clients work is missing\nhint: write `for 20s`, `for the next 20s`, or `continuously` and later `the clients stop`"))
	}
	return length
}
