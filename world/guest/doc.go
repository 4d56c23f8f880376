// Package guest is what the framework itself runs in a node's control group: this very program, started again by Command,
// which does one thing there and nothing else of ours.
//
//	world ── Command(Burn(4)) ─► containers.Node.Guest ─► process in /brine/RUN/SCENARIO/NODE/brine-guestN
//	  │                                                       │ waits for a byte on its standard input
//	  └────────────── Write("\n") ───────────────────────────►│ then burns CPU or fills memory
//
// Any program that imports the package has it, a test binary too: the package's init function looks for the variable that
// Command sets.
//
//	cmd, err := guest.Command(guest.Burn(4))
//	g, err := node.Guest(cmd, 1)
//	_, err = g.Write([]byte("\n")) // begins
//	err = g.End(ctx)
package guest
