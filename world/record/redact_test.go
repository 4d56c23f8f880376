package record

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"os"
	"strings"
	"testing"
)

const secret = `p&s"s/wörd+<1>`

func TestASecretIsNowhereInTheRecord(t *testing.T) {
	rec, path := open(t)
	rec.AddSecret(secret)
	rec.AddSecret("") // is none
	sc := rec.Scenario(ScenarioInfo{Name: "login with " + secret, Steps: []StepInfo{{Text: secret}}})
	st := sc.Step(StepInfo{Text: secret, Table: [][]string{{"a", secret}}, DocString: &DocString{Content: secret}})
	sc.Exchange(Exchange{
		URL:            "http://u:" + url.PathEscape(secret) + "@node1/?p=" + url.QueryEscape(secret),
		RequestHeaders: []Field{{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+secret))}},
		RequestBody:    mustJSON(map[string]string{"p": secret}), ResponseBody: html.EscapeString(secret),
	})
	for _, before := range []string{"", "a", "ab"} {
		sc.AttachText("b64", "text/plain", base64.URLEncoding.EncodeToString([]byte(before+secret+"tail")))
	}
	sc.Attach(Attachment{Name: "bytes", Data: []byte("x" + secret)})
	info := HarmInfo{Asked: secret, Targets: []string{secret}}
	sc.Harm(info)
	if info.Targets[0] != secret {
		t.Error("the caller's value was changed")
	}
	st.End(Failed, verdictError{errSecret{}})
	sc.End(Failed, errSecret{})
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range forms(secret) {
		if bytes.Contains(data, []byte(form)) || bytes.Contains(data, []byte(mustJSON(form))) {
			t.Errorf("%q is in the record:\n%s", form, data)
		}
	}
	run := read(t, path)
	if got := run.Scenarios[0].Exchanges[0].RequestBody; got != `{"p":"***"}` {
		t.Errorf("body %q", got)
	}
}

type errSecret struct{}

func (errSecret) Error() string { return "refused: " + secret }

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestASecretThatIsAWordOfTheRecordDoesNotChangeWhatItSays(t *testing.T) {
	rec, path := open(t)
	for _, s := range []string{"passed", "1", "k3x9a2pq", "step.begin"} {
		rec.AddSecret(s)
	}
	sc := rec.Scenario(ScenarioInfo{Name: "1 passed"})
	sc.Step(StepInfo{Text: "1"}).End(Passed, nil)
	sc.End(Passed, nil)
	rec.End(nil)
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	run := read(t, path)
	if s := run.Scenarios[0]; !run.OK() || s.Name != "*** ***" || s.ID != "k3x9a2pq-1" || s.Steps[0].Text != Mask {
		t.Errorf("%+v", s)
	}
}

func TestTheWriterFindsASecretAcrossWrites(t *testing.T) {
	r := NewRedactor()
	r.AddSecret("correct-horse")
	for size := 1; size < 20; size++ {
		var out bytes.Buffer
		w := r.Writer(&out)
		text := strings.Repeat("a correct-horse battery ", 3) + "correct-hors"
		for len(text) > 0 {
			n := min(size, len(text))
			if _, err := w.Write([]byte(text[:n])); err != nil {
				t.Fatal(err)
			}
			text = text[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if want := strings.Repeat("a *** battery ", 3) + "correct-hors"; out.String() != want {
			t.Errorf("in pieces of %d: %q", size, out.String())
		}
	}
}

func TestSecretNames(t *testing.T) {
	for name, want := range map[string]bool{
		"PX_API_KEY": true, "GITHUB_TOKEN": true, "DB_PASSWORD": true, "MySecret": true, "APIKEY": true, "SSH_KEYS": true,
		"KEYBOARD": false, "HOME": false, "KEYMAP_PATH": false, "": false,
	} {
		if SecretName(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
