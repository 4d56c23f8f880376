package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shopFeature is what somebody else's project might test: a service of its own
// beside one that is built in.
const shopFeature = `Feature: somebody else's project
  Scenario: a service of its own is cut off
    Given a 2-node cluster running shop
    When I GET "http://node1:8080/" from node2
    Then the response status is 200
    And the response body contains "tea"
    When node1 is isolated
    And I GET "http://node1:8080/" with a time-out of 500ms
    Then the request times out
`

const shopService = `name: shop
image: "go:./../../shop"
ports: {web: 8080}
ready: {tcp: web}
`

const shopProgram = `package main

import (
	"fmt"
	"log"
	"net/http"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "tea") })
	log.Fatal(http.ListenAndServe(":8080", nil))
}
`

// The README's test file runs the features of another module: helpers, built-in
// services and the engine's build files come with the library.
func TestAnotherModule(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it runs a cluster")
	}
	dir := t.TempDir()
	project, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	snippets := blocks(t, "go")[filepath.Join(root, "README.md")]
	if len(snippets) != 1 {
		t.Fatalf("expected one Go file in the README, got %d", len(snippets))
	}
	mod := regexp.MustCompile(`(?m)^module .*$`).ReplaceAllString(read(t, filepath.Join(root, "go.mod")), "module example.test/shop")
	mod += "\nrequire brine.test/brine v0.0.0\n\nreplace brine.test/brine => " + project + "\n"
	for name, text := range map[string]string{
		"go.mod": mod, "go.sum": read(t, filepath.Join(root, "go.sum")), "shop_test.go": snippets[0],
		"shop/main.go": shopProgram, "features/shop.feature": shopFeature, "features/services/shop.yaml": shopService,
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, file, text)
	}
	test := exec.CommandContext(t.Context(), "go", "test", "-mod=mod", "-count=1", "-v", ".")
	test.Dir = dir
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "BRINE_FEATURES=") && !strings.HasPrefix(v, "BRINE_OUT=") {
			test.Env = append(test.Env, v)
		}
	}
	out, err := test.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "1 scenario passed, 0 failed") {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "out", "report.html")); err != nil {
		t.Error(err)
	}
}
