package catalogue

import "brine.test/brine/world/jsonpath"

// BuiltinClients are the names that `client:` takes instead of a description. Package world/client has one for each.
var BuiltinClients = []string{"etcd", "redis", "redis-sentinel", "nats", "postgresql"}

// Client says how a service is used: by a built-in client, or by doing each operation as described.
type Client struct {
	Builtin string // one of BuiltinClients; "" where Actions are described
	Actions map[Operation]*Action
}

// Operation is one thing that a client can do, by its key in a service file.
type Operation string

// The operations of a described client. Only those that the file has can be used in a scenario.
const (
	OpWrite        Operation = "write"
	OpRead         Operation = "read"
	OpStaleRead    Operation = "stale_read"
	OpCAS          Operation = "cas"           // {{.Expect}} → {{.Value}}
	OpReadAll      Operation = "read_all"      // {{.Keys}} at one instant; a JSON object of those that have a value
	OpChangeAll    Operation = "change_all"    // {{.Changes}} at one instant, or none
	OpLeader       Operation = "leader"        // who leads, as this node says
	OpMoveLeader   Operation = "move_leader"   // asked of the leader; {{.Target}} is to lead
	OpPosition     Operation = "position"      // how far this node's replication is, a number that grows
	OpHealth       Operation = "health"        // succeeds when this node serves
	OpAddMember    Operation = "add_member"    // asked of another node before {{.Target}} starts
	OpRemoveMember Operation = "remove_member" // asked of another node; {{.Target}} is to leave
)

// Action is how one operation is done. Exactly one of HTTP and Exec is set. Refused, NotFound and the accepted status
// are HTTP statuses, or exit codes of the program.
type Action struct {
	HTTP     *HTTPAction
	Exec     []*Template // run inside the node's container
	Value    *Value      // where the value read is; nil for operations that read none
	Term     *Value      // of leader: where the term is; nil where there are no terms
	NotFound []int       // of a read: there is nothing under the key
	Refused  []int       // certainly not done, so that a history may count it as failed, not unknown
}

// HTTPAction is one HTTP request to the node.
type HTTPAction struct {
	Method  string
	Port    Port
	Path    *Template // .Key, .Value and .Expect are escaped in it, unless it uses urlquery itself
	Headers map[string]*Template
	Body    *Template // nil: none
	Status  []int     // accepted; nil: any 2xx
}

// Source is which part of an answer holds a value.
type Source string

// The parts of an answer: of an HTTP one its body, a place in its JSON body, or a header; of a program its output, or a
// place in its JSON output.
const (
	FromBody   Source = "body"
	FromJSON   Source = "json"
	FromHeader Source = "header"
	FromStdout Source = "stdout"
)

// Value is where a value is in an answer: `body`, `stdout`, `json:a.b[0]`, `header:X-Value`.
type Value struct {
	From   Source
	Path   jsonpath.Path // of FromJSON
	Header string        // of FromHeader
}
