//go:build browser

package reports

import (
	"flag"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
)

var shots = flag.String("shots", "", "write screenshots into this folder")

func played(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := Write(dir, everything(t, dir)); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "report.html")
}

func quoted(s string) string { return strconv.Quote(s) }

func (b *browser) want(what, js string, want any) {
	b.t.Helper()
	if got := b.eval(js); got != want {
		b.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestThePageInABrowser(t *testing.T) {
	file := played(t)
	b := newBrowser(t)

	b.open(file, "", "light", 1280, 860)
	b.want("headline", `document.querySelector("h1").textContent`, "3 of 6 scenarios failed")
	b.want("rows", `document.querySelectorAll(".row").length`, 6.0)
	b.shot("overview-light")

	b.click(`.chips .btn:nth-child(2)`)
	b.want("rows when only failed ones are shown", `document.querySelectorAll(".row").length`, 3.0)
	b.press("/")
	for _, key := range "old data" {
		b.press(string(key))
	}
	b.want("rows found", `document.querySelectorAll(".row").length`, 1.0)
	b.click(`.row`)
	b.want("the scenario is open", `document.querySelector("h1").textContent`, "An isolated leader does not serve old data")
	b.want("the verdict", `[...document.querySelectorAll(".verdict dd")].slice(0, 2).map((e) => e.textContent).join()`, `"v2","v1"`)
	b.want("what was logged then", `document.querySelectorAll(".said .line").length > 3`, true)
	b.shot("failed-light")

	b.want("harm at the moment of the failure", `document.querySelector(".readout li b").textContent`, "node2 is isolated")
	b.want("links cut", `document.querySelectorAll(".topo .link.cut").length`, 3.0)
	b.click(`.band[data-id="k3x9a2pq-2.1"]`)
	b.want("links cut before the harm", `document.querySelectorAll(".topo .link.cut").length`, 0.0)
	b.click(`.band[data-id="k3x9a2pq-2.h1"]`)
	b.want("the band is lit", `document.querySelectorAll(".band.lit").length`, 1.0)
	b.want("links cut at its begin", `document.querySelectorAll(".topo .link.cut").length`, 3.0)
	b.eval(`document.getElementById("picture").scrollIntoView()`)
	b.settle()
	b.shot("pictures-light")

	b.open(file, "#k3x9a2pq-1@1.5", "dark", 1280, 860)
	b.want("the deep link's moment", `document.querySelector(".readout b").textContent`, "+1.500 s")
	b.want("the new leader", `document.querySelector(".node.leader text").textContent`, "node3")
	b.want("dark", `document.documentElement.dataset.theme`, "dark")
	b.want("the log's line of that moment", `document.querySelector(".logs .line.lit .t").textContent`, "+1.392")
	b.shot("pictures-dark")
	b.eval(`document.querySelector(".timeline svg").focus()`)
	b.press("ArrowRight")
	b.want("the moment moves by key", `document.querySelector(".readout b").textContent !== "+1.500 s"`, true)
	b.press("+")
	b.want("zoomed by key", `/ to /.test(document.querySelector(".ptools .grow").textContent)`, true)
	b.eval(`document.querySelector(".logbox").focus()`)
	lit := b.eval(`document.querySelector(".logs .line.lit").textContent`)
	b.press("ArrowDown")
	b.press("ArrowDown")
	b.want("two lines on by key", `document.querySelector(".logs .line.lit").textContent !== `+quoted(lit.(string))+` && !document.querySelector(".whole").hidden`, true)
	b.eval(`document.activeElement.blur()`)
	b.press("n")
	b.want("the next failed one by key", `location.hash`, "#k3x9a2pq-2")
	b.open(file, "#k3x9a2pq-2.4", "dark", 1280, 860)
	b.want("the deep link's step", `document.querySelector(".step.lit .kw").textContent`, "Then ")
	b.shot("failed-dark")
	b.clean()
}

func TestThePageOnATelephone(t *testing.T) {
	file := played(t)
	b := newBrowser(t)
	for _, id := range []string{"", "#k3x9a2pq-1", "#k3x9a2pq-2", "#k3x9a2pq-3", "#k3x9a2pq-5"} {
		b.open(file, id, "light", 400, 800)
		b.want(id+" is not wider than the screen", `document.documentElement.scrollWidth <= 400`, true)
		b.shot(fmt.Sprintf("telephone%s", id))
	}
	b.open(file, "#k3x9a2pq-2", "light", 400, 800)
	b.want("the list is away", `getComputedStyle(document.querySelector(".side")).display`, "none")
	b.click(".back")
	b.want("and back", `getComputedStyle(document.querySelector(".side")).display`, "flex")
	b.clean()
}

func TestTextOfTheSystemUnderTestStaysText(t *testing.T) {
	file := played(t)
	b := newBrowser(t)
	for _, id := range []string{"k3x9a2pq-1", "k3x9a2pq-2", "k3x9a2pq-4"} {
		b.open(file, "#"+id, "light", 1280, 860)
		b.eval(`document.querySelectorAll("details").forEach((d) => { d.open = true; })`)
		b.settle()
		b.want("no element of it", `document.querySelectorAll("img[src=x], #app script, #app b b").length`, 0.0)
		b.want("title", `document.title.includes("owned")`, false)
		b.want("no escapes", `/[\x00-\x08\x0b-\x1f]/.test(document.getElementById("app").textContent)`, false)
	}
	b.open(file, "#k3x9a2pq-2", "light", 1280, 860)
	b.want("pictures", `[...document.querySelectorAll(".ev img")].filter((i) => i.complete && i.naturalWidth === 1).length`, 2.0)
	b.want("a diff", `document.querySelectorAll(".ev .plus, .ev .minus").length`, 2.0)
	b.want("it is shown", `document.getElementById("app").textContent.includes("</script><script>")`, true)
	b.clean()
}
