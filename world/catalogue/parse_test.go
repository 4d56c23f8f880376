package catalogue

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

const whole = `
name: etcd
version: "3.6.8"
image: "go:go.etcd.io/etcd/server/v3@v{{.Version}}+go.etcd.io/etcd/etcdctl/v3"
command: ["/server"]
args: ["--name={{.Node.Name}}", "--initial-cluster={{range $i, $n := .Nodes}}{{if $i}},{{end}}{{$n.Name}}=http://{{$n.IP}}:2380{{end}}"]
env: {ETCD_DATA_DIR: /data, QUOTA: 1073741824, NUM: 1.10}
files: {/etc/motd: "node {{.Node.Index}} of {{len .Nodes}} in {{.Cluster}}"}
ports: {client: 2379, peer: 2380}
data: /data
ready: {http: {port: client, path: /health, status: 200, body: "true"}, within: 30s}
start: {stagger: 40ms, after: []}
stop: {signal: TERM, grace: 10s}
memory: 256 MiB
cpu: 1
client:
  write: {http: {method: PUT, port: client, path: "/kv/{{.Key}}", body: "{{.Value}}", status: 200}}
  read:  {http: {method: GET, port: client, path: "/kv/{{.Key}}", value: body}}
  stale_read: {exec: ["kv", "get", "--local", "{{.Key}}"], value: stdout}
  leader: {http: {method: GET, port: client, path: /status, value: "json:leader"}}
  move_leader: {exec: ["kv", "move-leader", "{{.Target.Name}}"]}
`

func nodesOf(n int) []Node { return samples(&Service{})[0].Nodes[:n] }

// TestParseWhole reads the file of the language's description, and fills it in.
func TestParseWhole(t *testing.T) {
	s, err := Parse(Origin{File: "etcd.yaml", Base: "services"}, "", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	nodes := nodesOf(3)
	i, err := Render(s, Data{Node: nodes[1], Nodes: nodes, Peers: []Node{nodes[0], nodes[2]}, Cluster: "db", Version: "v3.5.21"})
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]string{
		"image":   {i.Image, "go:go.etcd.io/etcd/server/v3@v3.5.21+go.etcd.io/etcd/etcdctl/v3"},
		"command": {strings.Join(i.Command, " "), "/server"},
		"args":    {strings.Join(i.Args, " "), "--name=node2 --initial-cluster=node1=http://10.77.0.2:2380,node2=http://10.77.0.3:2380,node3=http://10.77.0.4:2380"},
		"env":     {i.Env["ETCD_DATA_DIR"] + i.Env["QUOTA"] + i.Env["NUM"], "/data10737418241.10"},
		"files":   {i.Files["/etc/motd"], "node 2 of 3 in db"},
		"ready":   {i.Ready.HTTP.Path + i.Ready.HTTP.Body, "/healthtrue"},
		"version": {i.Version, "3.5.21"},
		"default": {s.Version, "3.6.8"},
		"volume":  {i.Volume, "/data"},
		"base":    {i.Base, "services"},
		"signal":  {i.Stop.Signal.String(), "terminated"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s = %q, want %q", name, pair[0], pair[1])
		}
	}
	if i.Memory != 256<<20 || i.CPU != 1 || i.Start.Stagger != 40*time.Millisecond || i.Ready.HTTP.Port != 2379 || i.Timeout != DefaultTimeout {
		t.Errorf("amounts: %+v", i)
	}
	read := s.Client.Actions[OpRead]
	if read.HTTP.Method != "GET" || read.Value.From != FromBody || s.Client.Actions[OpLeader].Value.Path.String() != "leader" {
		t.Errorf("client: %+v", read)
	}
	path, err := read.HTTP.Path.ExecutePath(OpData{Data: i.Data, Key: "a b/c?"})
	if err != nil || path != "/kv/a%20b%2Fc%3F" {
		t.Errorf("path = %q, %v", path, err)
	}
	if port, err := i.Data.Port("peer"); err != nil || port != 2380 {
		t.Errorf("port peer = %d, %v", port, err)
	}
}

// TestRefused compares the errors of every file in testdata/refused with the .golden beside it.
func TestRefused(t *testing.T) {
	files, err := filepath.Glob("testdata/refused/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(Origin{File: filepath.Base(file)}, "", text)
			if err == nil {
				t.Fatal("read; want an error")
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil || string(want) != err.Error()+"\n" {
				t.Errorf("got\n%s\nwant\n%s\n%v", err, want, readErr)
			}
		})
	}
}

func TestParseAll(t *testing.T) {
	for name, text := range map[string]string{
		"mapping":   "name: a\nimage: x\n---\nname: b\nimage: y\n",
		"list":      "- name: a\n  image: x\n- name: b\n  image: y\n",
		"anchors":   "- &a\n  name: a\n  image: x\n- <<: *a\n  name: b\n",
		"documents": "---\n# first\nname: a\nimage: x\n---\n- {name: b, image: y}\n",
	} {
		all, err := ParseAll(Origin{File: "f"}, []byte(text))
		if err != nil || len(all) != 2 || all[0].Name != "a" || all[1].Name != "b" {
			t.Errorf("%s: %v, %v", name, all, err)
		}
	}
	for text, problem := range map[string]string{
		"":                           "holds no service",
		"# nothing":                  "holds no service",
		"5":                          "is the number 5",
		"- name: a\n  image: x\n- 5": "services[1]: is the number 5",
		"[{name: a, image: x}, {name: a, image: x}]": `a second service "a"`,
	} {
		if _, err := ParseAll(Origin{File: "f"}, []byte(text)); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%q: %v; want %q", text, err, problem)
		}
	}
}

// TestOrigin holds that a mistake in a doc string is shown at the feature's line.
func TestOrigin(t *testing.T) {
	_, err := Parse(Origin{File: "a.feature", Line: 40}, "kv", []byte("image: x\nargz: []\n"))
	var mistake *Error
	if !errors.As(err, &mistake) || mistake.Line != 41 || mistake.File != "a.feature" {
		t.Errorf("got %v; want a.feature:41", err)
	}
}

func TestVersions(t *testing.T) {
	fixed, err := Parse(Origin{File: "kv.yaml"}, "", []byte("name: kv\nversion: 1\nimage: x\n"))
	if err != nil {
		t.Fatal(err)
	}
	open, err := Parse(Origin{File: "db.yaml"}, "", []byte("name: db\nimage: x\nargs: ['{{if eq .Cluster \"a\"}}{{$.Version}}{{end}}']\n"))
	if err != nil {
		t.Fatal(err)
	}
	newest, err := Parse(Origin{File: "pg.yaml"}, "", []byte("name: pg\nversion: \"*\"\nimage: 'host:/usr/lib/pg/{{.Version}}/bin/pg'\n"))
	if err != nil {
		t.Fatal(err)
	}
	if fixed.TakesVersion() || !open.TakesVersion() {
		t.Error("TakesVersion is wrong")
	}
	nodes := nodesOf(1)
	for _, c := range []struct {
		service     *Service
		asked, want string
	}{
		{fixed, "", ""}, {fixed, "1", ""}, {fixed, "2", "kv 2: it has version 1 only"},
		{open, "", "needs a version"}, {open, "7.0", ""}, {newest, "", ""}, {newest, "*", ""}, {newest, "16", ""}, {newest, "1*", "not a version"}, {open, "a b", "not a version"},
	} {
		_, err := Render(c.service, Data{Node: nodes[0], Nodes: nodes, Version: c.asked})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: %v; want %q", c.service.Name, c.asked, err, c.want)
		}
	}
}

// TestRenderFailsForThisCluster holds that a template right for five nodes and wrong for one fails with node and field.
func TestRenderFailsForThisCluster(t *testing.T) {
	s, err := Parse(Origin{File: "kv.yaml"}, "kv", []byte("image: x\nargs: ['{{(index .Nodes 1).IP}}']\n"))
	if err != nil {
		t.Fatal(err)
	}
	nodes := nodesOf(1)
	_, err = Render(s, Data{Node: nodes[0], Nodes: nodes})
	if err == nil || !strings.HasPrefix(err.Error(), "node1: args[0] of kv (kv.yaml): ") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(whole)
	files, _ := filepath.Glob("testdata/refused/*.yaml")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			f.Add(string(text))
		}
	}
	f.Add("a: &a [*a]\nname: *a\n<<: *b\n? [1]: 2\n!!x y: !z 5\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "range") || strings.Contains(text, "printf") {
			return // a template may work for long, as any program
		}
		all, err := ParseAll(Origin{File: "f"}, []byte(text))
		if err == nil && len(all) == 0 {
			t.Fatal("neither services nor an error")
		}
		for _, s := range all {
			nodes := nodesOf(3)
			_, _ = Render(s, Data{Node: nodes[0], Nodes: nodes, Peers: nodes[1:]})
		}
	})
}
