// Package selector is the closed grammar of who a sentence is about.
//
//	"node1 and node3 are killed"
//	 ───────┬───────
//	        └─► Parse ─► Selector{Kind: Named, Names: [node1 node3]} ─► the world finds the nodes
//
// A selector is words, not nodes: whom "the leader" or "a random node" stands for is decided by the world at the
// moment the sentence runs. What is not in the grammar is refused with the list of what is.
//
//	selector = [ service " on " ] one { ( ", " | " and " ) one }
//	one      = name | "all nodes" | "every node" | "each node" | "the other nodes"
//	         | "the leader" [ of ] | "the followers" [ of ] | "a follower" [ of ] | "the old leader" [ of ]
//	         | "a random node" | N " random nodes"
//	         | ( "a minority" | "a majority" ) [ ( " with the leader" | " without the leader" ) [ of ] ]
//	         | "zone " name | "the isolated nodes" | "the killed nodes" | "the paused nodes" | "the clients"
//	of       = " of " name
//
// The package imports nothing of the project.
package selector
