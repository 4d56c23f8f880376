package catalogue

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write lays out files below a new folder and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func serviceFile(name, image string) string { return fmt.Sprintf("name: %s\nimage: %s\n", name, image) }

// TestFindOutside holds that a feature anywhere on disk finds the services of the project that runs it, after its own.
func TestFindOutside(t *testing.T) {
	t.Chdir(write(t, map[string]string{
		"features/services/kv.yaml":   serviceFile("kv", "project"),
		"features/services/shop.yaml": serviceFile("shop", "project"),
	}))
	c := New(filepath.Join(write(t, map[string]string{"services/kv.yaml": serviceFile("kv", "own")}), "x.feature"))
	for name, want := range map[string]string{"kv": "own", "shop": "project"} {
		s, err := c.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Image.String(); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

// TestFindOrder holds that the nearest definition of a name is found: the scenario's, the feature's, its parents', built in.
func TestFindOrder(t *testing.T) {
	root := write(t, map[string]string{
		"services/outside.yaml":                  serviceFile("outside", "x"),
		"module/go.mod":                          "module m\n",
		"module/services/kv.yaml":                serviceFile("kv", "module"),
		"module/services/top.yml":                serviceFile("top", "module"),
		"module/features/services/any-name.yaml": serviceFile("kv", "features"),
		"module/features/a/services/kv.yaml":     serviceFile("kv", "beside"),
		"module/features/a/services/etcd.yaml":   serviceFile("etcd", "own"),
		"module/features/b/x.feature":            "",
	})
	image := func(c *Catalogue, name string) string {
		t.Helper()
		s, err := c.Find(name)
		if err != nil {
			return err.Error()
		}
		return s.Image.String()
	}
	a, b := New(filepath.Join(root, "module/features/a/x.feature")), New(filepath.Join(root, "module/features/b/x.feature"))
	for _, c := range []struct {
		catalogue  *Catalogue
		name, want string
	}{
		{a, "kv", "beside"}, {a, "top", "module"}, {a, "etcd", "own"}, {b, "kv", "features"},
		{b, "etcd", "go:go.etcd.io/etcd/server/v3@v{{.Version}}+go.etcd.io/etcd/etcdctl/v3"},
	} {
		if got := image(c.catalogue, c.name); got != c.want {
			t.Errorf("%s = %q, want %q", c.name, got, c.want)
		}
	}
	if _, err := b.Define(Origin{File: "x.feature", Line: 7}, "kv", "image: in place\n"); err != nil {
		t.Fatal(err)
	}
	if got := image(b, "kv"); got != "in place" {
		t.Errorf("after Define kv = %q", got)
	}
	if got := image(a, "outside"); !strings.HasPrefix(got, "outside: no such service, there is etcd (") {
		t.Errorf("a file above the module: %q", got)
	}
	if got := image(b, "etdc"); !strings.HasSuffix(got, "\nhint: did you mean \"etcd\"?") || !strings.Contains(got, "etcd (built in), kv (this scenario), nats (built in), ") {
		t.Errorf("unknown: %q", got)
	}
	if s, err := a.Find("kv"); err != nil || s.Base != filepath.Join(root, "module/features/a/services") {
		t.Errorf("base = %v, %v", s, err)
	}
}

// TestFindBroken holds that a broken file is in the way of its own name only, and is told of when a name is unknown.
func TestFindBroken(t *testing.T) {
	root := write(t, map[string]string{
		"go.mod":               "module m\n",
		"services/good.yaml":   serviceFile("good", "x"),
		"services/broken.yaml": "name: \"other\" # what\nimagee: x\n",
	})
	c := New(filepath.Join(root, "x.feature"))
	if _, err := c.Find("good"); err != nil {
		t.Error(err)
	}
	if _, err := c.Find("etcd"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"broken", "other", "nowhere"} {
		if _, err := c.Find(name); err == nil || !strings.Contains(err.Error(), `broken.yaml:2:1: unknown key "imagee"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFindTwoFilesOneName(t *testing.T) {
	root := write(t, map[string]string{"go.mod": "module m\n", "services/a.yaml": serviceFile("kv", "x"), "services/b.yaml": serviceFile("kv", "y")})
	if _, err := New(filepath.Join(root, "x.feature")).Find("kv"); err == nil || !strings.Contains(err.Error(), "a.yaml too") {
		t.Errorf("got %v", err)
	}
}

// TestFoldersOutsideModule holds that outside a module a folder that anybody may write to is not trusted.
func TestFoldersOutsideModule(t *testing.T) {
	root := write(t, map[string]string{"open/inner/x.feature": ""})
	if err := os.Chmod(filepath.Join(root, "open"), 0o777); err != nil {
		t.Fatal(err)
	}
	folders := strings.Join(foldersFrom(filepath.Join(root, "open/inner")), " ")
	if !strings.Contains(folders, "open/inner/services") || strings.Contains(folders, "open/services") {
		t.Errorf("folders: %s", folders)
	}
}

func TestOrder(t *testing.T) {
	service := func(name string, after ...string) *Service {
		return &Service{Name: name, Start: Start{After: after}}
	}
	ordered, err := Order([]*Service{service("sentinel", "redis"), service("x"), service("redis")})
	if err != nil || ordered[0].Name != "redis" || ordered[1].Name != "sentinel" || ordered[2].Name != "x" {
		t.Errorf("%v, %v", ordered, err)
	}
	needs := &Service{Name: "sentinel", Needs: []string{"redis"}}
	if ordered, err := Order([]*Service{needs, service("redis")}); err != nil || ordered[0].Name != "redis" {
		t.Errorf("needs: %v, %v", ordered, err)
	}
	if ordered, err := Order([]*Service{needs}); err != nil || len(ordered) != 1 {
		t.Errorf("needs what another node has: %v, %v", ordered, err)
	}
	if _, err := Order([]*Service{service("a", "b"), service("b", "a")}); err == nil || !strings.Contains(err.Error(), "a and b wait for each other") {
		t.Errorf("cycle: %v", err)
	}
	if _, err := Order([]*Service{service("a", "c")}); err == nil || !strings.Contains(err.Error(), "no service c, only a") {
		t.Errorf("unknown: %v", err)
	}
}

// TestBuiltin fills every built-in service in, and etcd's in each of its lines of versions and when joining.
func TestBuiltin(t *testing.T) {
	all, err := readBuiltin()
	if err != nil {
		t.Fatal(err)
	}
	nodes := nodesOf(4)
	for _, version := range []string{"3.5.21", "3.6.8", "3.7.0"} {
		i, err := Render(all["etcd"], Data{Node: nodes[3], Nodes: nodes, Members: nodes[1:], Peers: nodes[:3], Version: version, Joining: true, Cluster: "default"})
		if err != nil {
			t.Fatal(err)
		}
		args := strings.Join(i.Args, " ")
		for _, want := range []string{"--name=node4 ", "--initial-cluster=node2=http://10.77.0.3:2380,node3=http://10.77.0.4:2380,node4=http://10.77.0.5:2380 ", "--initial-cluster-state=existing "} {
			if !strings.Contains(args, want) {
				t.Errorf("args %s\nwant %s", args, want)
			}
		}
		if !strings.Contains(i.Image, "@v"+version+"+") {
			t.Errorf("image %s", i.Image)
		}
	}
}

// TestRunning holds that a template can name the nodes that run another service, and how many are a majority.
func TestRunning(t *testing.T) {
	all, err := readBuiltin()
	if err != nil {
		t.Fatal(err)
	}
	nodes := nodesOf(5)
	i, err := Render(all["redis-sentinel"], Data{
		Node: nodes[4], Nodes: nodes, Members: nodes[1:], Cluster: "default", Services: map[string][]Node{"redis": nodes[1:3]},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"sentinel monitor brine 10.77.0.3 6379 3\n", "known-replica brine 10.77.0.4 6379\n",
		"myid 0000000000000000000000000000000000000005\n", "known-sentinel brine 10.77.0.5 26379 0000000000000000000000000000000000000004",
	} {
		if !strings.Contains(i.Files["/etc/sentinel.conf"], want) {
			t.Errorf("%s\nwant %s", i.Files["/etc/sentinel.conf"], want)
		}
	}
	if got := strings.Count(i.Files["/etc/sentinel.conf"], "known-"); got != 4 {
		t.Errorf("%d others are known, want a replica and three sentinels", got)
	}
}

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{"etdc": "etcd", "ECTD": "etcd", "redi": "redis", "reds": "redis", "postgres": "", "x": ""} {
		if got := nearest(word, []string{"etcd", "redis", "redis-sentinel"}); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestFromImage(t *testing.T) {
	i, err := Render(FromImage("client", "nginx:{{1}}", "/f"), Data{Node: Node{Name: "client"}})
	if err != nil || i.Image != "nginx:{{1}}" || i.Base != "/f" || i.Command != nil || i.Stop.Grace != DefaultGrace {
		t.Errorf("%+v, %v", i, err)
	}
}
