package reports

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"brine.test/brine/world/record"
)

// A secret goes through everything that a scenario shows; no file of the run holds it, in any form, and the console does
// not say it.
func TestASecretIsInNoReport(t *testing.T) {
	const secret = `s3cr&t "Wört"`
	dir := t.TempDir()
	summaryFile := filepath.Join(dir, "summary.md")
	t.Setenv("GITHUB_STEP_SUMMARY", summaryFile)
	t.Setenv("GITHUB_ACTIONS", "true")
	p := newPlay(t, dir)
	p.rec.AddSecret(secret)
	sc := p.rec.Scenario(record.ScenarioInfo{URI: "a.feature", Name: "log in with " + secret, Again: "API_KEY='" + secret + "' make run", Steps: []record.StepInfo{{Text: `the token "` + secret + `"`}}})
	source := filepath.Join(t.TempDir(), "stdout")
	if err := os.WriteFile(source, []byte("API_KEY="+secret+"\nhalf a line with "+secret), 0o600); err != nil {
		t.Fatal(err)
	}
	stop := sc.Follow(source, record.LogFile{Service: "kv", Node: "node1", Stream: "stdout"})
	st := sc.Step(sc.Info().Steps[0])
	sc.Choice("a random node", []string{secret}, secret)
	h := sc.Harm(record.HarmInfo{Kind: "drop", Asked: "traffic with " + secret, Targets: []string{secret}})
	sc.Exchange(record.Exchange{
		Method: "POST", URL: "http://node1/?token=" + url.QueryEscape(secret), Status: 401,
		RequestHeaders:  []record.Field{{Name: "Authorization", Value: "Basic " + base64.StdEncoding.EncodeToString([]byte("admin:"+secret))}},
		RequestBody:     `{"token":"s3cr&t \"Wört\""}`,
		ResponseHeaders: []record.Field{{Name: "Set-Cookie", Value: secret}}, ResponseBody: "<p>s3cr&amp;t &#34;Wört&#34;</p>",
	})
	sc.Command(record.Command{Node: "node1", Args: []string{"login", secret}, Stdout: secret, Stderr: secret})
	sc.Operation(record.Operation{Kind: "write", Key: secret, Value: secret, Error: secret, Outcome: record.OutcomeFailed})
	sc.State(record.ServiceState{Node: "node1", Service: "kv", State: record.Exited, Detail: secret})
	sc.AttachText("env", "text/plain", "API_KEY="+secret)
	sc.Note(record.LevelWarning, secret)
	p.wait(time.Second)
	h.End(record.HealedAtEnd, record.Receipt{Processes: []string{secret}})
	err := errors.New("login refused: " + secret)
	st.End(record.Failed, err)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	sc.Cleanup(record.Cleanup{Leftovers: []string{secret}})
	sc.End(record.Failed, err)
	run := p.finish()
	if err := Write(dir, run); err != nil {
		t.Fatal(err)
	}
	var console bytes.Buffer
	Closing(&console, dir, run)

	files := 0
	look := func(name string, data []byte) {
		for _, form := range []string{"s3cr", "W%C3%B6rt", "Wört", "Wört", base64.StdEncoding.EncodeToString([]byte("admin:" + secret))[8:20]} {
			if bytes.Contains(data, []byte(form)) {
				at := bytes.Index(data, []byte(form))
				t.Errorf("%s holds %q: …%s…", name, form, data[max(0, at-80):min(len(data), at+60)])
			}
		}
	}
	look("the console", console.Bytes())
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		look(path, data)
		return err
	})
	if err != nil || files < 7 {
		t.Errorf("%d files, %v", files, err)
	}
}
