package observe

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"brine.test/brine/observe/table"
)

// newHTTPTable has the columns of Pixie's http_events (docs.px.dev/reference/datatables/http_events), and one of our own:
// grpc_status, -1 where an answer gives none.
func newHTTPTable() *table.Table {
	return withContext(table.New("http_events",
		table.Spec{Name: "time_", Type: table.Time64NS},
		table.Spec{Name: "upid", Type: table.Uint128},
		table.Spec{Name: "remote_addr", Type: table.String},
		table.Spec{Name: "remote_port", Type: table.Int64},
		table.Spec{Name: "local_addr", Type: table.String},
		table.Spec{Name: "local_port", Type: table.Int64},
		table.Spec{Name: "trace_role", Type: table.Int64},
		table.Spec{Name: "encrypted", Type: table.Boolean},
		table.Spec{Name: "major_version", Type: table.Int64},
		table.Spec{Name: "minor_version", Type: table.Int64},
		table.Spec{Name: "content_type", Type: table.Int64},
		table.Spec{Name: "req_headers", Type: table.String},
		table.Spec{Name: "req_method", Type: table.String},
		table.Spec{Name: "req_path", Type: table.String},
		table.Spec{Name: "req_body", Type: table.String},
		table.Spec{Name: "req_body_size", Type: table.Int64},
		table.Spec{Name: "resp_headers", Type: table.String},
		table.Spec{Name: "resp_status", Type: table.Int64},
		table.Spec{Name: "resp_message", Type: table.String},
		table.Spec{Name: "resp_body", Type: table.String},
		table.Spec{Name: "resp_body_size", Type: table.Int64},
		table.Spec{Name: "latency", Type: table.Int64},
		table.Spec{Name: "grpc_status", Type: table.Int64},
	))
}

// Content types, as Pixie numbers them.
const (
	contentUnknown = 0
	contentJSON    = 1
	contentGRPC    = 2
)

// request adds the row of a request that was answered. Its time is the answer's; its latency goes from the last byte of
// the request to the last byte of the answer.
func (t *tracker) request(c *conn, asked, answer *message) {
	if t.skips(asked) || !t.room(t.http) {
		return
	}
	major := max(asked.major, 1)
	if major == 1 {
		c.stats.protocol = protocolHTTP
	}
	latency := int64(answer.end) - int64(asked.end)
	r := row{t: t.http}
	r.int(t.since1970(answer.end))
	r.text(c.target.upid)
	r.text(plain(c.key.remote.Addr()))
	r.int(int64(c.key.remote.Port()))
	r.text(plain(c.key.local.Addr()))
	r.int(int64(c.key.local.Port()))
	r.int(int64(c.role))
	r.bool(false)
	r.int(int64(major))
	r.int(int64(asked.minor))
	r.int(contentType(answer.header("Content-Type")))
	r.text(headersJSON(asked.headers))
	r.text(asked.method)
	r.text(asked.path)
	r.text(text(asked))
	r.int(int64(asked.size))
	r.text(headersJSON(answer.headers))
	r.int(int64(answer.status))
	r.text(answer.reason)
	r.text(text(answer))
	r.int(int64(answer.size))
	r.int(max(latency, 0))
	r.int(grpcStatus(answer))
	addContext(t.http, c.service(), c.target)
}

// skips tells whether a request is left out: a readiness probe's.
func (t *tracker) skips(m *message) bool {
	agent := m.header("User-Agent")
	return agent != "" && slices.ContainsFunc(t.cfg.SkipAgents, func(s string) bool { return strings.HasPrefix(agent, s) })
}

func contentType(header string) int64 {
	switch {
	case strings.Contains(header, "json"):
		return contentJSON
	case strings.HasPrefix(header, "application/grpc"):
		return contentGRPC
	}
	return contentUnknown
}

// text gives a body's kept part, where it is text.
func text(m *message) string {
	if m.header("Content-Encoding") != "" {
		return "<encoded>"
	}
	if len(m.body) > 0 && contentType(m.header("Content-Type")) == contentGRPC {
		return "<not text>"
	}
	b := m.body
	for range utf8.UTFMax - 1 { // the cut may have split a character
		if utf8.Valid(b) || len(b) == 0 {
			break
		}
		b = b[:len(b)-1]
	}
	if !utf8.Valid(b) {
		return "<not text>"
	}
	return string(b)
}

// Masked stands for the value of a header that carries a secret.
const Masked = "<masked>"

var secretWords = []string{"authorization", "cookie", "token", "secret", "password", "api-key", "apikey"}

func secret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(name, w) })
}

// headersJSON gives headers as a JSON object, as Pixie does; a name that comes twice has its values joined.
func headersJSON(headers []header) string {
	m := make(map[string]string, len(headers))
	for _, h := range headers {
		switch had, twice := m[h.name]; {
		case secret(h.name):
			m[h.name] = Masked
		case twice:
			m[h.name] = had + ", " + h.value
		default:
			m[h.name] = h.value
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return "{}" // strings always marshal
	}
	return string(b)
}
