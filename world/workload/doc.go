// Package workload lets clients work on a service, each as it would, and writes down what they did.
//
//	Config ──► New ──► Setup ──► Go ┬► client 1 ─┐ an operation after the other, each tried once
//	                                ├► client 2 ─┼──► Router: whom to ask ──► client.Client ──► a node
//	                                └► …        ─┘                                │
//	                   Stop ──► final reads, from the leader                      ▼
//	                                                               Record(history.Operation)
//
// Every workload comes down to reads, writes and compare-and-sets of single keys, which each client of a service has;
// transfers need a client that can change several keys at one instant. Values are unique, so that the history tells
// who wrote what was read.
//
//	registers  reads and writes of random registers; compare-and-sets of what the client saw last, when asked for
//	set        an add writes a fresh key; a read looks for one element that was added
//	list       an append reads the list and compares and sets it with one element more; a full list gives way to a new one
//	lists      a transaction reads some of several lists and appends to some of them, all at one instant
//	counter    an increment reads and compares and sets
//	accounts   a transfer reads two accounts and changes both at one instant; a read reads all
//	lock       acquired by a compare-and-set of a free one to the client's token, held a moment, given back
//	queue      both ends by compare-and-set of all of it
//
// A compare-and-set that met another value was answered: the client looks again and tries once more, within the
// operation's time. Nothing else is ever tried again: a time-out is unknown, and stays so.
//
// A client has one operation under way. When an answer is a second late another client, with a number and a connection
// of its own, stands in for it and goes on working, while it waits until the operation's time is over. So what is measured
// is how the system serves, and not how many clients still wait for what was lost.
//
//	r, err := workload.New(workload.Config{Work: history.Registers, Clients: 5, Keys: 3, Router: router, Record: writer.Add, Now: now})
//	err = r.Setup(ctx)
//	r.Go(ctx)
//	err = r.Stop(ctx)
//
// The package owns its goroutines: Stop returns when they have ended.
package workload
