//go:build browser

package reports

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Cucumber's own formatter takes our stream: each envelope fits the schema, and the page that it makes shows the run.
func TestTheOfficialFormatterRendersOurMessages(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, everything(t, dir)); err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	if err := os.CopyFS(work, os.DirFS("testdata/formatter")); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(work, "out.html")
	for _, args := range [][]string{
		{"npm", "ci", "--no-audit", "--no-fund"},
		{"node", "render.mjs", filepath.Join(dir, "messages.ndjson"), out},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = work
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s\nhint: apt-get install -y nodejs npm", args, err, text)
		}
	}
	b := newBrowser(t)
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 1200, "height": 1600, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.call("Page.navigate", map[string]any{"url": "file://" + out}, nil)
	b.until(`!!document.body && document.body.innerText.includes("Odd ends")`)
	for _, text := range []string{"A majority goes on without the leader", "node2 is isolated: dropped 1,204 packets (105.8 KiB)", "left behind: veth brine12", "2 / 6"} {
		b.want(text, `document.body.innerText.includes(`+quoted(text)+`)`, true)
	}
	b.shot("official-formatter")
	b.clean()
}
