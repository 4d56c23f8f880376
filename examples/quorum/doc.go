// Quorum is a small replicated key-value service that keeps its promises: reads and writes are linearizable, and what it
// acknowledged survives the loss of any minority of its nodes. And it can be told to make one of the mistakes that such
// services are known for, so that tests of a tester have something to find.
//
//	clients ── PUT /kv/k ──► node2 ── forwards ──► node1 (leads in term 3)
//	                                                 │ POST /append to each: entries, what is committed
//	                                  node2 ◄────────┴────────► node3
//
// It is Raft (Ongaro and Ousterhout 2014) without snapshots and changes of members: a leader is elected by a majority for a
// term; an entry counts when a majority has it on disk; a read counts when a majority still follows the leader that
// answers it.
//
//	quorum serve --name=node1 --members=node1=10.77.0.2,node2=10.77.0.3,node3=10.77.0.4 --data=/data
//
// QUORUM_MISTAKE, or --mistake, names the mistake that it makes:
//
//	early     the leader acknowledges before anyone has copied
//	forgets   nothing is kept on disk: a restart loses it
//	stale     each node answers reads from what it holds itself
//	split     a node needs nobody's vote to lead, and nobody's copy to acknowledge
//	repeats   a follower that forwards a compare-and-set sometimes sends it twice, and gives the second answer
//	compares  a follower compares by itself and forwards a plain write
//	torn      a transaction is done key by key
//
// It serves GET and PUT /kv/KEY (?expect=VALUE to compare and set, ?stale=1 for what the node holds itself), /status,
// /healthz and POST /leader/NODE.
package main
