package steps

import (
	"context"
	"time"

	"brine.test/brine/world"
)

// processes states the sentences that kill, stop and freeze. Their selectors are written as in network.
func processes(sc Registrar) {
	sc.Step(`^((?:[^" ]| [^" \d]| \d+ r)+) (?:is|are) killed( (?:within|for|while) .+)?$`, kill)
	sc.Step(`^((?:[^" ]| [^" \d]| \d+ r)+) (?:is|are) started again$`, startAgain)
	sc.Step(`^((?:[^" ]| [^" \d]| \d+ r)+) (?:is|are) stopped( (?:within|for|while) .+)?$`, stop)
	sc.Step(`^((?:[^" ]| [^" \d]| \d+ r)+) (?:is|are) restarted( (?:within|for|while) .+)?$`, restart)
	sc.Step(`^((?:[^" ]| [^" \d]| \d+ r)+) (?:is|are) paused( (?:within|for|while) .+)?$`, pause)
	// No selector begins with "existing": "existing connections between … resume" is another sentence.
	sc.Step(`^((?:[^e" ]|e[^x"]|ex[^i"]|exi[^s"]|exis[^t"]|exist[^i"])(?:[^" ]| [^" \d]| \d+ r)*|e|exi?|exist?) resumes?$`, resume)
	sc.Step(`^((?:[^" ]| [^" \d]| \d+ r)+) (?:is|are) killed and started again (\d+) times?(?:, every ([^"]+))?$`, crashLoop)
	machines(sc)
	disks(sc)
	clocks(sc)
	sc.Step(`^everything heals$`, healEverything)
}

// kill sends SIGKILL to the nodes' services; their disks stay as they are. It is momentary, so it takes no length.
//
//	node2 is killed
//	node2 and node3 are killed
func kill(ctx context.Context, who, tail string) error {
	s := read(ctx)
	nodes := s.who(who)
	s.none(tail, "a kill is momentary and takes no length\nhint: write `node2 is killed`, and later `node2 is started again`; or `node2 is paused for 5s`")
	return s.do(func(w *world.World) error { return w.Kill(ctx, nodes, world.Length{}) })
}

// startAgain starts killed or stopped nodes with their disk as it was, and goes on when they run, ready or not.
//
//	node2 is started again
//	the killed nodes are started again
func startAgain(ctx context.Context, who string) error {
	s := read(ctx)
	nodes := s.who(who)
	return s.do(func(w *world.World) error { return w.StartAgain(ctx, nodes) })
}

// stop sends the services' stop signal (SIGTERM, unless the service file has another), and SIGKILL after their grace
// period.
//
//	node2 is stopped
//	node2 and node3 are stopped for 5s
func stop(ctx context.Context, who, tail string) error {
	s := read(ctx)
	nodes, length := s.who(who), s.length(tail)
	return s.do(func(w *world.World) error { return w.Stop(ctx, nodes, length) })
}

// restart stops the services as "is stopped" does, and starts them again.
//
//	node2 is restarted
//	the followers are restarted
func restart(ctx context.Context, who, tail string) error {
	s := read(ctx)
	nodes := s.who(who)
	s.none(tail, "a restart is momentary and takes no length\nhint: write `node2 is stopped for 5s`")
	return s.do(func(w *world.World) error { return w.Restart(ctx, nodes) })
}

// pause freezes the nodes' processes, as a long garbage collection does.
//
//	node2 is paused
//	the leader is paused for 5s
//	node2 and node3 are paused for the next 5s
func pause(ctx context.Context, who, tail string) error {
	s := read(ctx)
	nodes, length := s.who(who), s.length(tail)
	return s.do(func(w *world.World) error { return w.Pause(ctx, nodes, length) })
}

// resume lets paused nodes go on.
//
//	node2 resumes
//	the paused nodes resume
func resume(ctx context.Context, who string) error {
	s := read(ctx)
	nodes := s.who(who)
	return s.do(func(w *world.World) error { return w.Resume(ctx, nodes) })
}

// crashLoop kills nodes and starts them again, so many times; without "every" one right after the other.
//
//	node2 is killed and started again 5 times, every 2s
func crashLoop(ctx context.Context, who, times, every string) error {
	s := read(ctx)
	nodes, n := s.who(who), s.atLeastOne(times, "killed "+times+" times")
	var pause time.Duration
	if every != "" {
		pause = s.duration(every)
	}
	return s.do(func(w *world.World) error { return w.CrashLoop(ctx, nodes, n, pause) })
}

// healEverything ends every harm that is still on: paused nodes resume, the network, disks, clocks and limits are as
// before, and nodes that were killed, stopped, without power or out of memory are started.
//
//	everything heals
func healEverything(ctx context.Context) error {
	return read(ctx).do(func(w *world.World) error { return w.HealEverything(ctx) })
}
