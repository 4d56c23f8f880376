package steps

import (
	"strings"
	"testing"
)

// Every sentence of the language, section by section. {who} stands for each selector, {bound} and {length} for each
// tail, {bound} and {length} also for none; "is|are" stands for each form.
var language = map[string][]string{
	"Building": {
		`a 3-node cluster running etcd`,
		`an 8-node cluster running etcd`,
		`a 3-node cluster running etcd 3.5.21`,
		`a 5-node cluster running redis and redis-sentinel`,
		`a 5-node cluster running redis 7.2, redis-sentinel and etcd 3.6.8`,
		`a 1-node cluster running etcd named "db"`,
		`a cluster:`,
		`a cluster running:`,
		`the cluster in "compose.yaml"`,
		`a node "client" running the image "docker.io/library/nginx:1.27"`,
		`node4 joins|join, running etcd`,
		`node4 and node5 join, running etcd 3.5.21 and redis`,
		`zone az1 has node1 and node2`,
		`zone az1 has node1`,
		`zone az-1 has node1, node2 and node3`,
		`zone az1 has the other nodes`,
		`node1 is also known as "mydomain.com"`,
		`node1 and node2 are also known as "mydomain.com"`,
		`the service "kv":`,
		`internet access is allowed`,
	},
	"Harming the network": {
		`{who} is|are isolated{length}`,
		`{who} is|are isolated from the other nodes{length}`,
		`node2 is|are isolated from {who}{length}`,
		`zone az1 is isolated from the other zones{length}`,
		`{who} cannot reach node2{length}`,
		`node1 cannot reach {who}{length}`,
		`node1 and node2 cannot reach each other{length}`,
		`the leader and the followers cannot reach each other{length}`,
		`the network is split into "node1, node2" and "node3, node4, node5"{length}`,
		`the network is split into "node1", "node2" and "the other nodes"{length}`,
		`the network is split into halves{length}`,
		`the network is split into a majority and a minority{length}`,
		`the network is split with the leader in the minority{length}`,
		`the network is split with the leader of etcd in the minority{length}`,
		`the network is split into a ring of majorities{length}`,
		`the network is split except through {who}{length}`,
		`traffic to {who} on port 2380 is|are dropped{length}`,
		`TCP traffic from node1 to {who} on port 2380 is dropped{length}`,
		`UDP traffic from {who} is dropped{length}`,
		`ICMP traffic between node1 and node2 is dropped{length}`,
		`traffic between all nodes on port client is dropped{length}`,
		`{who} rejoins|rejoin`,
		`the link between node1 and node2 heals`,
		`the link between the leader and {who} heals`,
		`the links between all nodes heal`,
		`the network heals`,
		`10% of packets from node1 to {who} are lost{length}`,
		`0.5% of packets to {who} are|is lost in bursts of 20{length}`,
		`10% of packets between node1 and node2 are lost in bursts of 20 packets{length}`,
		`10% of packets from {who} are lost{length}`,
		`10% of packets between all nodes are lost{length}`,
		`10% of packets are lost{length}`,
		`10% of TCP packets from {who} to node2 on port 2380 are lost{length}`,
		`1% of packets to {who} are corrupted{length}`,
		`1% of packets to {who} are corrupted undetected{length}`,
		`1% of UDP packets between node1 and node2 on port 53 are corrupted undetected{length}`,
		`1% of packets from {who} are duplicated{length}`,
		`1% of packets between all nodes are reordered{length}`,
		`1% of packets from node1 to {who} are reordered{length}`,
		`packets from {who} to node2 are delayed by 100ms{length}`,
		`packets to {who} are delayed by 100ms ± 20ms{length}`,
		`packets to {who} are delayed by 100ms ± 20ms with a normal distribution{length}`,
		`packets between node1 and node2 are delayed by 1 second ± 200 milliseconds with a pareto distribution{length}`,
		`packets between all nodes are delayed by 100ms ± 20ms with a uniform distribution{length}`,
		`TCP packets from node1 to {who} on port client are delayed by 100ms{length}`,
		`packets are delayed by 100ms{length}`,
		`bandwidth from node1 to {who} is limited to 1 Mbit/s{length}`,
		`bandwidth to {who} is limited to 1 Mbit/s and a queue of 64 packets{length}`,
		`bandwidth between node1 and node2 is limited to 100 kB/s{length}`,
		`the bandwidth from {who} is limited to 1.5 Gbit/s with a queue of 64 packets{length}`,
		`TCP bandwidth from node1 to node2 on port 2380 is limited to 1 Mbit/s{length}`,
		`the link between node1 and {who} flaps every 500ms{length}`,
		`the links between all nodes flap every 1s{length}`,
		`connections between node1 and {who} are reset`,
		`connections to {who} on port 2380 are reset`,
		`{who} cannot open new connections to node2{length}`,
		`node1 cannot open new connections to {who} on port 2380{length}`,
		`node1 and node2 cannot open new connections to each other{length}`,
		`existing connections between node1 and {who} hang{length}`,
		`existing connections to {who} on port 2380 hang{length}`,
		`existing connections between node1 and {who} resume`,
		`name resolution fails on {who}{length}`,
		`name resolution is slow by 2s on {who}{length}`,
		`the delay from node1 to {who} ends`,
		`the loss between node1 and {who} ends`,
		`the loss of TCP packets from node1 to node2 on port 2380 ends`,
		`the corruption to {who} ends`,
		`the duplication from {who} ends`,
		`the reordering between all nodes ends`,
		`the bandwidth limit from node1 to {who} ends`,
		`the flapping between node1 and {who} ends`,
		`the flapping of the link between node1 and node2 ends`,
		`the delay ends`,
	},
	"Seeing packets": {
		`{who} sent no packets to node2`,
		`node1 sent no packets to {who} for 2s`,
		`node1 sent no packets to {who} while node2 was isolated`,
		`{who} sent at least 100 packets to node2 on port 2380{bound}`,
		`node1 sent exactly 1 packet to {who}{bound}`,
		`node1 sent at most 100 UDP packets{bound}`,
		`no packets from {who} reached node2`,
		`no packets from node1 reached {who} while node2 was isolated`,
		`at least 100 packets from {who} reached node2{bound}`,
		`at least 100 TCP packets from node1 reached {who} on port client{bound}`,
		`no packets reached {who}`,
		`packets of {who} are|is captured`,
	},
	"Load": {
		`10 requests per second are sent to "http://consumer:8080/"{length}`,
		`10 requests per second are sent to "http://consumer:8080/" continuously`,
		`10 requests a second are sent to "http://consumer:8080/" continuously`,
		`1 request per minute is sent to "http://node1:8080/" from {who} on new connections{length}`,
		`2.5 POST requests per second are sent to "http://node1:8080/x" with "say ""hi"" for 5s" for 10s`,
	},
	"Seeing HTTP": {
		`the p99 latency of HTTP requests to consumer over the last 2m is below 300ms{bound}`,
		`the median latency of HTTP requests is at most 1 second{bound}`,
		`the p99.9 latency of HTTP requests to {who} is above 1m30s{bound}`,
		`the mean latency of HTTP requests from {who} to node2 on path "/api/*" over the last 10s is at least 2ms`,
		`the max latency of HTTP requests on path "/say ""to""" was below 2s{bound}`,
		`the error rate of HTTP requests to {who} is below 1%{bound}`,
		`the error rate of HTTP requests over the last 2m is at most 0.5%`,
		`the throughput of HTTP requests to consumer over the last 2m is above 50 requests per second{bound}`,
		`the throughput of HTTP requests from the clients is at least 1 request per second`,
	},
	"Steady state": {
		`the steady state "stays fast":`,
		`the steady state holds{bound}`,
	},
	"Chaos Toolkit and Pixie": {
		`the Chaos Toolkit experiment "experiment.json" runs`,
		`the Pixie cluster "${PX_CLUSTER_ID}"`,
	},
	"PxL": {
		`I run the PxL script "latency.py"`,
		`I run the PxL script:`,
		`the 99th percentile of column "latency_p99" in milliseconds is below 300{bound}`,
		`the median of column "n" is above 0.5{bound}`,
		`the median of column "n" in milliseconds is above 0.5 in table "output" where "service" matches "a"{bound}`,
		`the 1st percentile of column "n" in table "output" where "service" matches "a ""b""" in seconds is at least 3`,
	},
	"Harming processes and machines": {
		`{who} is|are killed`,
		`{who} is|are started again`,
		`{who} is|are stopped{length}`,
		`{who} is|are restarted`,
		`{who} is|are paused{length}`,
		`{who} resumes|resume`,
		`{who} is|are killed and started again 5 times, every 2s`,
		`node2 is killed and started again 1 time`,
		`everything heals`,
		`memory of {who} is|are limited to 64 MiB{length}`,
		`the memory of node2 is limited to 1GB`,
		`{who} runs|run out of memory`,
		`CPU of {who} is limited to 10%{length}`,
		`CPU of {who} is|are stressed{length}`,
		`the disk of {who} is full{length}`,
		`the disks of {who} are full{length}`,
		`the disk of {who} fails|fail{length}`,
		`reads from the disk of {who} fail{length}`,
		`writes to the disks of {who} fail{length}`,
		`fsync on the disk of {who} fails{length}`,
		`the disk of {who} is read-only{length}`,
		`the disk of {who} is slow by 50ms{length}`,
		`the disk of {who} is slow by 1 second{length}`,
		`fsync on the disk of {who} takes 500ms{length}`,
		`1% of reads from the disk of {who} are corrupted{length}`,
		`the disk of {who} recovers|recover`,
		`{who} loses|lose power`,
		`the clock of {who} jumps ahead by 5m`,
		`the clocks of {who} jump back by 5 minutes`,
		`the clock of {who} runs 10% fast{length}`,
		`the clocks of {who} run 0.1% slow{length}`,
		`the clock of {who} is right again`,
		`the clocks of {who} are right again`,
	},
	"Random harm": {
		`random faults strike`,
		`random faults strike:`,
		`random faults strike continuously`,
		`random faults strike{length}`,
		`random faults strike{length} with seed 42`,
		`random faults strike{length} with seed 42:`,
		`random faults strike with seed 42{length}`,
		`Every 5s {who} is|are killed`,
		`every 5s {who} is|are killed:`,
		`every 5 seconds, {who} is|are isolated{length}`,
		`every 500ms {who} loses|lose power`,
		`every 1m30s the network is split into halves{length}`,
		`every 10s 10% of packets from {who} are lost{length}`,
		`every 5s the disk of {who} is full{length}`,
		`these faults strike:`,
		`these faults strike{length}:`,
		`the faults in "schedule.txt" strike{length}`,
		`the faults of "schedule.txt" strike`,
		`the faults stop`,
	},
	"Using the system": {
		`"v1" is written to "k" on {who}{bound}`,
		`"say ""hi"" for 5s" is written to "k on node1" on node2{bound}`,
		`"k" is read from {who}{bound}`,
		`a write to {who} succeeds|fails{bound}`,
		`a write to {who} times out{bound}`,
		`a read of "k" from {who} returns "v1"{bound}`,
		`a read of "k" from node3 returns ""{bound}`,
		`a read of "k" from node3 returns:`,
		`a read of "k" from node3 returns within 10s:`,
		`a read from {who} succeeds|fails{bound}`,
		`a read from {who} times out{bound}`,
		`a read of "k" from {who} succeeds|fails{bound}`,
		`a read of "k from node1" from {who} times out{bound}`,
		`a stale read from {who} succeeds|fails{bound}`,
		`a stale read of "k" from {who} times out{bound}`,
		`a stale read of "k" from {who} returns "v1"{bound}`,
		`a stale read of "k" from {who} returns nothing{bound}`,
		`a read of "k" from {who} returns nothing{bound}`,
		`{who} returns|return "v1" for "k"{bound}`,
		`{who} returns|return nothing for "k"{bound}`,
		`all nodes agree on "k"{bound}`,
		`every node agrees on "k"{bound}`,
	},
	"Leaders": {
		`there is exactly one leader{bound}`,
		`there is exactly one leader of redis{bound}`,
		`there is never more than one leader{bound}`,
		`there is never more than one leader of db{bound}`,
		`{who} is the leader{bound}`,
		`node1 is the leader of redis{bound}`,
		`the leader is one of {who}{bound}`,
		`the leader has changed{bound}`,
		`the leader of redis has changed{bound}`,
		`{who} becomes the leader`,
		`node1 becomes the leader within 10s`,
		`{who} has|have caught up with the leader{bound}`,
		`{who} has|have caught up with the leader of redis{bound}`,
	},
	"Members and health": {
		`{who} leaves|leave`,
		`{who} is|are replaced by an empty node`,
		`node2 and node3 are replaced by empty nodes`,
		`the nodes are upgraded to etcd 3.6.8 one by one`,
		`the cluster is healthy{bound}`,
		`{who} is|are ready{bound}`,
		`{who} is|are running{bound}`,
		`{who} has|have exited with code 1{bound}`,
		`{who} was|were killed for lack of memory{bound}`,
	},
	"HTTP": {
		`I GET "http://node1:8080/x"`,
		`I GET "http://node1:8080/x" within 10s`,
		`I GET "http://node1:8080/x" from {who}`,
		`I GET "http://node1:8080/x" with a time-out of 2s`,
		`I GET "http://node1:8080/x" from node2 with a time-out of 2s within 10s`,
		`I GET "http://node1:8080/x" with:`,
		`I POST "http://node1:8080/x" with:`,
		`I POST "http://node1:8080/x" with "v1"`,
		`I PUT "http://node1:8080/x" from node2 with a time-out of 2s with:`,
		`I DELETE "http://node1:8080/x"`,
	},
	"What was answered": {
		`the response body contains within 10s:`,
		`the response JSON at "a.b[0]" is within 10s:`,
		`the response status is 200{bound}`,
		`the response body contains|does not contain "…"{bound}`,
		`the response body contains|does not contain:`,
		`the response JSON at "a.b[0]" is "…"{bound}`,
		`the response JSON at "a.b[0]" is:`,
		`the response header "X" is "…"{bound}`,
		`the response took at least 200ms{bound}`,
		`the response took at most 1s{bound}`,
		`the request fails{bound}`,
		`the request times out{bound}`,
	},
	"SQL": {
		`I run the SQL "select 1" on {who}{bound}`,
		`I run the SQL "select ""a"" from b" on node1{bound}`,
		`the result is:`,
	},
	"Commands": {
		`its error output does not contain for 5s:`,
		`I run "etcdctl endpoint health" on {who}{bound}`,
		`I run "etcdctl put ""a b"" c" on node1{bound}`,
		`I run "redis-cli ping" in redis on node1{bound}`,
		`I run on node1:`,
		`the command succeeds|fails{bound}`,
		`its exit code is 2{bound}`,
		`its output contains|matches|does not contain "…"{bound}`,
		`its error output contains|matches|does not contain "regexp"{bound}`,
		`its output contains:`,
	},
	"Logs": {
		`the log of {who} contains|matches|does not contain "…"{bound}`,
		`the logs of node1 and node2 contain|match|do not contain "…"{bound}`,
		`the log of node2 contains:`,
		`the log of node2 does not contain for 5s:`,
	},
	"Work": {
		`5 clients read and write 3 registers{length} to any node`,
		`5 clients read and write 3 registers for 20s`,
		`5 clients read and write 3 registers for the next 20s`,
		`5 clients read and write 3 registers continuously`,
		`5 clients compare and set 3 registers continuously`,
		`5 clients read, write and compare and set 3 registers for 20s`,
		`5 clients read and write and compare and set 3 registers for 20s`,
		`1 client reads, writes, and compares and sets a register for 20s`,
		`5 clients read and write 3 registers to the leader for 20s`,
		`1 client reads and writes a register for 1m30s`,
		`1 client compares and sets 1 register for 1m30s`,
		`5 clients add to a set for 20s`,
		`5 clients append to a list continuously to the leader`,
		`5 clients increment a counter for 20s`,
		`5 clients take turns on a lock for 2 minutes`,
		`1 client uses a queue for 20s`,
		`5 clients transfer between 10 accounts for 20s`,
		`5 clients transfer between 10 accounts at 100 operations per second for 20s`,
		`5 clients append to 3 lists for 20s`,
		`5 clients append to 3 lists continuously to any node at 100 operations per second`,
		`1 client adds to a set at 1 operation per second for 20s`,
		`1 client adds to a set for 20s at 60 operations a minute`,
		`5 clients read and write 3 registers to any node with stale reads at 100 operations per second continuously`,
		`the clients stop`,
	},
	"What the history shows": {
		`the history is linearizable`,
		`the history is serializable`,
		`the history was strictly serializable`,
		`no acknowledged write is|are lost`,
		`no write appears twice`,
		`no read goes back in time`,
		`the total is always 1000`,
		`the lock is never held twice`,
		`the history is not linearizable`,
		`an acknowledged write is lost`,
		`a write appears twice`,
		`a read goes back in time`,
		`the lock is held twice`,
		`the total is not always 1000`,
		`at least 99% of operations succeeded{bound}`,
		`at least 99% of operations succeeded before node2 and node3 were isolated`,
		`the longest outage was below 5s after the leader was killed`,
		`the p99 latency of writes was below 200ms before node2 was isolated from the clients`,
		`at most 0.5% of writes succeeded{bound}`,
		`the longest outage was below 5s{bound}`,
		`the longest outage was at least 1m30s{bound}`,
		`the p99 latency of writes was below 200ms{bound}`,
		`the p99.9 latency of operations was at most 2 seconds{bound}`,
		`the median latency of reads was above 1ms{bound}`,
	},
	"A harm that waits for its moment": {
		`when the log of {who} contains|matches "x", node2 is killed`,
		`the log of node2 contains "x", node2 is isolated for 5s`,
		`when the log of node2 contains "x", the network is split into "node1" and "node2, node3"`,
	},
	"Waiting and remembering": {
		`I wait 5s`,
		`I wait 1m30s`,
		`I wait 2 minutes`,
		`the response JSON at "id" is remembered as "ID"`,
		`{who} is|are remembered as "L"`,
	},
}

var (
	whos = []string{
		"node2", "node1 and node3", "node1, node2 and node3", "all nodes", "every node", "each node", "the other nodes",
		"the leader", "the leader of redis", "the followers", "a follower", "a random node", "2 random nodes",
		"a minority", "a majority", "a minority with the leader", "a majority without the leader",
		"a minority with the leader of redis", "zone az1",
		"the isolated node", "the killed nodes", "the paused nodes", "the old leader", "redis on node1", "the clients",
	}
	bounds  = []string{"", " within 10s", " for 5s", " for 5 seconds", " while node2 was isolated", ` while the network was split into "node1" and "node2"`}
	lengths = []string{"", " for 5s", " for the next 5s", " for 1m30s", " for the next 2 minutes"}
)

// written gives every way to write a line of the language.
func written(line string) []string {
	lines := []string{line}
	for hole, fillings := range map[string][]string{"{who}": whos, "{bound}": bounds, "{length}": lengths} {
		var filled []string
		for _, l := range lines {
			if !strings.Contains(l, hole) {
				filled = append(filled, l)
				continue
			}
			for _, f := range fillings {
				filled = append(filled, strings.ReplaceAll(l, hole, f))
			}
		}
		lines = filled
	}
	for _, forms := range []string{
		"is|are", "are|is", "was|were", "has|have", "joins|join", "rejoins|rejoin", "resumes|resume", "runs|run", "loses|lose", "recovers|recover", "fails|fail", "succeeds|fails", "returns|return",
		"leaves|leave", "contains|matches|does not contain", "contains|does not contain", "contains|matches",
		"contain|match|do not contain",
	} {
		var formed []string
		for _, l := range lines {
			if !strings.Contains(l, " "+forms) {
				formed = append(formed, l)
				continue
			}
			for form := range strings.SplitSeq(forms, "|") {
				formed = append(formed, strings.ReplaceAll(l, forms, form))
			}
		}
		lines = formed
	}
	return lines
}

func TestEverySentenceHasOneMeaning(t *testing.T) {
	stated := map[string]bool{}
	for _, s := range Catalogue() {
		stated[s.Section] = true
	}
	count := 0
	for section, lines := range language {
		if !stated[section] {
			t.Errorf("%s: no such section", section)
		}
		for _, line := range lines {
			for _, text := range written(line) {
				count++
				found := Matches(text)
				if len(found) != 1 {
					t.Errorf("%s: %d meanings", text, len(found))
					continue
				}
				if got := found[0].Sentence.Section; got != section {
					t.Errorf("%s: means a sentence of %q, want %q", text, got, section)
				}
			}
		}
	}
	t.Logf("%d sentences", count)
}

// Sentences that harm without lasting take no tail, but a tester who writes one is told why.
func TestRefusedTailsAreTold(t *testing.T) {
	for _, text := range []string{
		`node2 loses power for 5s`, `node2 runs out of memory for 5s`, `the clock of node2 jumps ahead by 5m for 5s`, `the disk of node2 is full within 10s`,
		`node2 is killed for 5s`, `node2 is restarted for 5s`, `node2 is isolated within 10s`, `node2 is paused while node1 was isolated`,
		`its output does not contain "x" within 10s`, `the log of node2 does not contain "x" within 10s`,
		`there is never more than one leader within 10s`, `node1 sent no packets to node2 within 10s`,
		`the faults stop within 5s`, `random faults strike within 10s`,
		`connections between node1 and node2 are reset for 5s`, `10% of packets to node2 are lost within 10s`, `packets of node1 are captured for 5s`,
		`no packets from node1 reached node2 within 5s`, `a write to node1 succeeds for the next 5s`,
	} {
		if n := len(Matches(text)); n != 1 {
			t.Errorf("%s: %d meanings, want one that refuses the tail", text, n)
		}
	}
}

func TestExamplesOfTheCatalogue(t *testing.T) {
	for _, s := range Catalogue() {
		if s.Doc == "" || len(s.Examples) == 0 {
			t.Errorf("%s: its doc comment says nothing, or has no example", s.Name)
		}
		for _, example := range s.Examples {
			if found := Matches(example); len(found) != 1 || found[0].Sentence != s {
				t.Errorf("%s: its example %q has %d meanings, or another's", s.Name, example, len(found))
			}
		}
		for _, pattern := range s.Patterns {
			if text := pattern.String(); strings.Contains(text, "(?i)") || strings.Contains(text, "(?P<") || !strings.HasPrefix(text, "^") || !strings.HasSuffix(text, "$") {
				t.Errorf("%s: editors' plug-ins cannot read %s", s.Name, text)
			}
			if in := s.call.Type().NumIn(); in != pattern.NumSubexp()+1 {
				t.Errorf("%s: takes %d arguments, its pattern gives %d: %s", s.Name, in-1, pattern.NumSubexp(), pattern)
			}
		}
	}
}
