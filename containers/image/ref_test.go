package image

import (
	"strings"
	"testing"
)

const someDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		kind Kind
		want string // the full name, the path or the packages
		pin  string
	}{
		{"nginx", Registry, "index.docker.io/library/nginx:latest", ""},
		{"nginx:1.27", Registry, "index.docker.io/library/nginx:1.27", ""},
		{"docker.io/library/nginx:1.27", Registry, "index.docker.io/library/nginx:1.27", ""},
		{"grafana/k6", Registry, "index.docker.io/grafana/k6:latest", ""},
		{"quay.io/coreos/etcd:v3.6.8#" + someDigest, Registry, "quay.io/coreos/etcd:v3.6.8", someDigest},
		{"localhost:5000/x/y@" + someDigest, Registry, "localhost:5000/x/y@" + someDigest, ""},
		{"127.0.0.1:5000/x:1", Registry, "127.0.0.1:5000/x:1", ""},
		{"oci:../images/app", OCI, "../images/app", ""},
		{"oci:/a dir/app#" + someDigest, OCI, "/a dir/app", someDigest},
		{"archive:app.tar.gz", Archive, "app.tar.gz", ""},
		{"host:/usr/bin/redis-server", Host, "/usr/bin/redis-server", ""},
		{"go:./cmd/kv", Go, "./cmd/kv", ""},
		{"go:.", Go, ".", ""},
		{"go:example.com/kv", Go, "example.com/kv", ""},
		{"go:example.com/kv@latest", Go, "example.com/kv@latest", ""},
		{"go:go.etcd.io/etcd/server/v3@v3.6.8+go.etcd.io/etcd/etcdctl/v3", Go, "go.etcd.io/etcd/server/v3@v3.6.8+go.etcd.io/etcd/etcdctl/v3@v3.6.8", ""},
		{"go:a.b/c@v2.0.0+incompatible+d.e/f@v1.0.0", Go, "a.b/c@v2.0.0+incompatible+d.e/f@v1.0.0", ""},
		{"go:a.b/c@v2.0.0+incompatible+d.e/f", Go, "a.b/c@v2.0.0+incompatible+d.e/f@v2.0.0+incompatible", ""},
		{"go:a.b/c@v1.0.0+./tool", Go, "a.b/c@v1.0.0+./tool", ""},
	} {
		ref, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got := ref.Path
		switch ref.Kind {
		case Registry:
			got = ref.Name.Name()
		case Go:
			got = packageList(ref.Packages)
		}
		if ref.Kind != c.kind || got != c.want || ref.Pin != c.pin || ref.String() != c.text {
			t.Errorf("%s: expected %s %s %q, got %s %s %q", c.text, c.kind, c.want, c.pin, ref.Kind, got, ref.Pin)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "the reference is empty",
		" nginx":                          "spaces around",
		"nginx\x00":                       "control character",
		"oci:":                            "expected a path after \"oci:\"",
		"archive:#" + someDigest:          "expected a path after \"archive:\"",
		"host:redis-server":               "expected an absolute path",
		"host:./x":                        "expected an absolute path",
		"nginx#latest":                    "expected sha256: and 64",
		"nginx#sha256:12":                 "expected sha256: and 64",
		"Nginx":                           "lower case",
		"docker://nginx":                  "leave docker:// out",
		"achive:./x.tar":                  "did you mean archive:./x.tar",
		"arhcive:./x.tar":                 "did you mean archive:./x.tar",
		"hots:/usr/bin/ls":                "did you mean host:/usr/bin/ls",
		"nginx:a:b":                       "expected [REGISTRY/]NAME",
		"go:":                             "expected a package",
		"go:./...":                        "a pattern names several",
		"go:main.go":                      "a file; expected the folder",
		"go:-toolexec=x":                  "expected an import path",
		"go:a.b/c@":                       "expected a version",
		"go:a.b/c@-x":                     "expected a version",
		"go:a.b/c@none":                   "removes a module",
		"go:./x@v1.0.0":                   "a local folder has no version",
		"go:a.b/c+":                       "expected an import path",
		"go:a.b/c d":                      "expected an import path",
		"nginx@sha256:" + someDigest[:10]: "expected [REGISTRY/]NAME",
	} {
		_, err := Parse(text)
		switch {
		case err == nil:
			t.Errorf("%q: expected an error", text)
		case !strings.Contains(err.Error(), want):
			t.Errorf("%q: expected %q, got: %v", text, want, err)
		case !strings.Contains(err.Error(), "\nhint: "):
			t.Errorf("%q: no hint: %v", text, err)
		}
	}
}

func TestProgramOf(t *testing.T) {
	for path, want := range map[string]string{
		"go.etcd.io/etcd/server/v3": "server", "go.etcd.io/etcd/etcdctl/v3": "etcdctl", "a.b/cmd/kv": "kv", "kv": "kv",
		"a.b/v2/v3": "a.b", "gopkg.in/x.v1": "x.v1",
	} {
		if got, err := programOf(path); err != nil || got != want {
			t.Errorf("%s: expected %s, got %s, %v", path, want, got, err)
		}
	}
	for _, path := range []string{"v3", ".", "", "/"} {
		if got, err := programOf(path); err == nil {
			t.Errorf("%q: expected an error, got %q", path, got)
		}
	}
}

// FuzzParse: whatever is written, the answer is an error with a hint, or a
// reference that holds what its kind needs and cannot be taken for an option.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"nginx:1.27", "oci:x", "archive:x.tar#" + someDigest, "go:a.b/c/v3@v1.2.3+incompatible+./d", "host:/bin/ls", "a/b@" + someDigest, "go:-x", "#", ":", "go:+@"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := Parse(text)
		if err != nil {
			if !strings.Contains(err.Error(), "hint: ") {
				t.Errorf("%q: no hint: %v", text, err)
			}
			return
		}
		switch ref.Kind {
		case Registry:
			if ref.Name == nil {
				t.Errorf("%q: no name", text)
			}
		case OCI, Archive, Host:
			if ref.Path == "" {
				t.Errorf("%q: no path", text)
			}
		case Go:
			for _, p := range ref.Packages {
				if p.Path == "" || strings.HasPrefix(p.Path, "-") || strings.HasPrefix(p.Version, "-") {
					t.Errorf("%q: package %q", text, p)
				}
			}
			if len(ref.Packages) == 0 {
				t.Errorf("%q: no package", text)
			}
		default:
			t.Errorf("%q: kind %q", text, ref.Kind)
		}
		if ref.Pin != "" && !pinPattern.MatchString(ref.Pin) {
			t.Errorf("%q: pin %q", text, ref.Pin)
		}
		again, err := Parse(ref.String())
		if err != nil || again.Kind != ref.Kind || again.Path != ref.Path {
			t.Errorf("%q: parsed again: %+v, %v", text, again, err)
		}
	})
}
