//go:build browser

package reports

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The report of a real run, that of an etcd whose isolated leader serves old data to whoever asks for it.
func TestTheReportOfARealRun(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it runs a cluster")
	}
	out := t.TempDir()
	feature, err := filepath.Abs("testdata/stale.feature")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "test", "-count=1", "-run", "TestFeatures", ".")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "BRINE_FEATURES="+feature, "BRINE_OUT="+out, "GITHUB_STEP_SUMMARY=")
	text, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("a run that must fail did not:\n%s", text)
	}
	file := filepath.Join(out, "report.html")
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	b := newBrowser(t)
	b.open(file, "", "light", 1280, 860)
	b.want("headline", `document.querySelector("h1").textContent`, "1 of 2 scenarios failed")
	b.click(`.chips .btn:nth-child(2)`)
	b.want("failed rows", `document.querySelectorAll(".row").length`, 1.0)
	b.click(".row")
	b.want("the verdict", `[...document.querySelectorAll(".verdict dd")].slice(0, 2).map((e) => e.textContent).join()`, `"v2","v1"`)
	b.want("under which harm", `/node2.*isolated/.test(document.querySelector(".verdict").textContent)`, true)
	b.want("the last step did not run", `document.querySelector(".step:last-child .time").textContent`, "skipped")
	b.shot("real-failed-light")
	b.click(`.timeline .b-harm`)
	b.want("links cut", `document.querySelectorAll(".topo .link.cut").length`, 2.0)
	b.want("a receipt", `/dropped [\d,]+ packets/.test(document.querySelector(".readout").textContent)`, true)
	b.eval(`document.getElementById("picture").scrollIntoView()`)
	b.settle()
	b.shot("real-pictures-light")
	b.click(`.logs .line`)
	b.want("a whole line", `document.querySelector(".whole").hidden`, false)
	link := b.eval(`document.querySelector(".readout a").getAttribute("href")`).(string)
	b.open(file, link, "dark", 1280, 860)
	b.want("the deep link", `document.querySelector("h1").textContent`, "A read from a leader that was cut off is not stale")
	b.open(file, b.eval(`location.hash.split("@")[0]`).(string), "dark", 1280, 860)
	b.eval(`document.getElementById("picture").scrollIntoView()`)
	b.settle()
	b.shot("real-pictures-dark")
	b.open(file, link, "light", 400, 800)
	b.want("not wider than a telephone", `document.documentElement.scrollWidth <= 400`, true)
	b.shot("real-telephone")
	b.clean()
}
