package observe

import (
	"encoding/json"
	"net/netip"

	"github.com/miekg/dns"

	"brine.test/brine/observe/table"
)

// newDNSTable has the columns of Pixie's dns_events.
func newDNSTable() *table.Table {
	return withContext(table.New("dns_events",
		table.Spec{Name: "time_", Type: table.Time64NS},
		table.Spec{Name: "upid", Type: table.Uint128},
		table.Spec{Name: "remote_addr", Type: table.String},
		table.Spec{Name: "remote_port", Type: table.Int64},
		table.Spec{Name: "local_addr", Type: table.String},
		table.Spec{Name: "local_port", Type: table.Int64},
		table.Spec{Name: "trace_role", Type: table.Int64},
		table.Spec{Name: "encrypted", Type: table.Boolean},
		table.Spec{Name: "req_header", Type: table.String},
		table.Spec{Name: "req_body", Type: table.String},
		table.Spec{Name: "resp_header", Type: table.String},
		table.Spec{Name: "resp_body", Type: table.String},
		table.Spec{Name: "latency", Type: table.Int64},
	))
}

// dnsKey is a question under way: who asked whom, and its id (RFC 1035, 4.1.1).
type dnsKey struct {
	ifindex       uint32
	local, remote netip.AddrPort
	id            uint16
}

type dnsAsked struct {
	at  uint64
	msg *dns.Msg
}

// seeDNS takes one DNS message over UDP.
func (t *tracker) seeDNS(target *seenTarget, e event, payload []byte) {
	msg := new(dns.Msg)
	if err := msg.Unpack(payload); err != nil {
		return // not DNS, or cut short
	}
	key := dnsKey{e.ifindex, e.local, e.remote, msg.Id}
	if !msg.Response {
		if _, again := t.dns[key]; !again {
			t.dns[key] = dnsAsked{e.time, msg}
		}
		return
	}
	asked, ok := t.dns[key]
	if !ok || !t.room(t.names) {
		return
	}
	delete(t.dns, key)
	role := Server
	if !e.egress {
		role = Client
	}
	r := row{t: t.names}
	r.int(t.since1970(e.time))
	r.text(target.upid)
	r.text(plain(e.remote.Addr()))
	r.int(int64(e.remote.Port()))
	r.text(plain(e.local.Addr()))
	r.int(int64(e.local.Port()))
	r.int(int64(role))
	r.bool(false)
	r.text(dnsHeader(asked.msg))
	r.text(dnsQueries(asked.msg))
	r.text(dnsHeader(msg))
	r.text(dnsAnswers(msg))
	r.int(int64(e.time - asked.at))
	addContext(t.names, target.service(0), target)
}

func dnsHeader(m *dns.Msg) string {
	return asJSON(map[string]int{
		"txid": int(m.Id), "qr": bit(m.Response), "opcode": m.Opcode, "aa": bit(m.Authoritative), "tc": bit(m.Truncated),
		"rd": bit(m.RecursionDesired), "ra": bit(m.RecursionAvailable), "rcode": m.Rcode,
		"num_queries": len(m.Question), "num_answers": len(m.Answer), "num_auth": len(m.Ns), "num_addl": len(m.Extra),
	})
}

func dnsQueries(m *dns.Msg) string {
	type query struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	queries := []query{}
	for _, q := range m.Question {
		queries = append(queries, query{unrooted(q.Name), dns.TypeToString[q.Qtype]})
	}
	return asJSON(map[string]any{"queries": queries})
}

func dnsAnswers(m *dns.Msg) string {
	type answer struct {
		Name  string `json:"name"`
		Type  string `json:"type"`
		CName string `json:"cname,omitempty"`
		Addr  string `json:"addr,omitempty"`
	}
	answers := []answer{}
	for _, rr := range m.Answer {
		a := answer{Name: unrooted(rr.Header().Name), Type: dns.TypeToString[rr.Header().Rrtype]}
		switch rr := rr.(type) {
		case *dns.A:
			a.Addr = rr.A.String()
		case *dns.AAAA:
			a.Addr = rr.AAAA.String()
		case *dns.CNAME:
			a.CName = unrooted(rr.Target)
		}
		answers = append(answers, a)
	}
	return asJSON(map[string]any{"answers": answers})
}

func unrooted(name string) string {
	if len(name) > 1 && name[len(name)-1] == '.' {
		return name[:len(name)-1]
	}
	return name
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "{}" // plain values always marshal
	}
	return string(b)
}
