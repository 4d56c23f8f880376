package record

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
)

func wrap(text string, width int, by string) string {
	return regexp.MustCompile(`.{1,`+string(rune('0'+width))+`}`).ReplaceAllString(text, "$0"+by)
}

func TestASecretThatALineBreakSplitsIsHidden(t *testing.T) {
	const secret = "correct-horse-battery"
	r := NewRedactor()
	r.AddSecret(secret)
	for name, text := range map[string]string{
		"lines":           "token " + wrap(secret, 7, "\n") + "end",
		"lines set in":    "token " + wrap(secret, 6, "\r\n\t  ") + "end",
		"in JSON":         `{"log":"` + wrap(secret, 5, `\n`) + `"}`,
		"base64, wrapped": wrap(base64.StdEncoding.EncodeToString([]byte("user:"+secret)), 9, "\n"),
	} {
		got := r.Redact(text)
		if strings.Contains(got, "rect") || strings.Contains(got, "horse") || strings.Contains(got, "Y29ycm") || !strings.Contains(got, Mask) {
			t.Errorf("%s: %q became %q", name, text, got)
		}
		var out bytes.Buffer
		w := r.Writer(&out)
		for _, c := range text {
			if _, err := w.Write([]byte(string(c))); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); strings.Contains(got, "horse") || !strings.Contains(got, Mask) {
			t.Errorf("%s, letter by letter: became %q", name, got)
		}
	}
	for _, innocent := range []string{"one\ntwo\n", "correct\n-horse", `C:\new\names`, "\n\n\n"} {
		if got := r.Redact(innocent); got != innocent {
			t.Errorf("%q became %q", innocent, got)
		}
	}
}

func TestThePartsOfASecretInAURLAreHidden(t *testing.T) {
	r := NewRedactor()
	r.AddSecret("s3cr3t/Va+lue=abcd")
	r.AddSecret("http://user:hunter22@node1:8080")
	r.InURL("http://s3cr3t/Va+lue=abcd/x", "node1")
	r.InURL("http://user:hunter22@node1:8080/y", "node1")
	got := r.Redact("lookup s3cr3t: no such host; node1 says hunter22; http is fine; bad value abcd")
	if want := "lookup ***: no such host; node1 says ***; http is fine; bad value ***"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestJSONInJSONAndEscapedLetters(t *testing.T) {
	r := NewRedactor()
	r.AddSecret("pa\"ss&wörd")
	for _, text := range []string{`pa\"ss&wörd`, "pa\\\"ss\\u0026w\\u00f6rd", `pa\\\"ss\\u0026wörd`} {
		if got := r.Redact("x " + text + " y"); got != "x *** y" {
			t.Errorf("%s became %s", text, got)
		}
	}
}
