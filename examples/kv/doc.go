// Kv is a small replicated key-value service to write features against: one node leads, the others copy its log.
//
//	clients ── PUT /kv/k ──► node2 ── forwards ──► node1 (leads) ── GET /log?from=7 ◄── node2, node3, every 20 ms
//	        ── GET /kv/k?stale=1 ──► answers from what the node holds itself
//
// It is weak on purpose: the leader acknowledges before anyone has copied, nobody is elected, and who leads moves only
// when it is told to. So a test of it has something to find.
//
//	kv serve --name=node1 --members=node1=10.77.0.2,node2=10.77.0.3    a node; --data=/data keeps the log on disk
//	kv                                                                  a node alone
//	kv get KEY, kv put KEY VALUE, kv status, kv move-leader NODE         talk to the node at 127.0.0.1
//	kv ping NODE, kv push NODE, kv lookup NAME                           try the network: datagrams, a stream, a name
//
// Beside /kv/KEY a node serves /healthz, /status, /slow?for=200ms, /exit/CODE, which ends its process,
// /eat/MIB, which takes memory, /count/MILLIONS, which takes CPU, /time, this node's wall clock, /ahead/NODE, by how many
// seconds it is ahead of another's, and /held/NODE, a connection to another node that stays open: POST opens it, GET sends
// a word over it and waits for its echo.
package main
