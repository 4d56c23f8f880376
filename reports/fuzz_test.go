package reports

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brine.test/brine/world/record"
)

// Whatever a record holds that the reader takes, all formats come out of it, and the XML is well-formed.
func FuzzRender(f *testing.F) {
	dir := f.TempDir()
	f.Add(`{"seq":1,"mono":1,"wall":1,"type":"run.begin","run":{"schema":1,"id":"a","seed":"1"}}`)
	f.Add(`{"seq":1,"mono":9,"wall":9,"type":"run.begin","run":{"schema":1}}
{"mono":1,"type":"scenario.begin","scenario":"a-1","scenario_info":{"name":"x","seed":"7","steps":[{"text":"s","keyword":"* ","table":[["a"],[]],"doc_string":{"content":"\"\"\""}}]}}
{"mono":2,"type":"step.begin","scenario":"a-1","step":"a-1.1","step_info":{"id":"a-1.1","text":"s"}}
{"mono":2,"type":"harm.begin","scenario":"a-1","step":"a-1.1","harm":{"id":"h","links":[{"from":"a","to":"b"}]}}
{"mono":3,"type":"operation","scenario":"a-1","operation":{"id":"o","start":-5,"end":99999999999999}}
{"mono":3,"type":"state","scenario":"a-1","state":{"state":"leader"}}
{"mono":3,"type":"sample","scenario":"a-1","sample":{"value":1e308}}
{"mono":3,"type":"log.open","scenario":"a-1","log":{"file":"../../etc/passwd"}}
{"mono":3,"type":"attachment","scenario":"a-1","attachment":{"file":"javascript:alert(1)","media_type":"image/png"}}
{"mono":3,"type":"topology","scenario":"a-1","topology":{"nodes":[{"name":"a"}]}}
{"mono":4,"type":"cleanup","scenario":"a-1","cleanup":{"removed":[{"n":-1}]}}
{"mono":4,"type":"source","source":{"uri":"","text":"Feature: x\n  Scenario Outline: y\n    * <z>\n"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		run, err := record.Decode(strings.NewReader(text))
		if err != nil {
			return
		}
		data, err := junit(run)
		if err != nil {
			t.Fatal(err)
		}
		var back junitSuites
		if err := xml.Unmarshal(data, &back); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		for name, render := range map[string]func() ([]byte, error){
			"cucumber": func() ([]byte, error) { return cucumber(run) },
			"messages": func() ([]byte, error) { return ndjson(run) },
			"page":     func() ([]byte, error) { return html(dir, run, Options{Before: run}) },
		} {
			if _, err := render(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		summary(run, Options{})
	})
}

// A run that was killed at any event still makes a report, and none that says all is well.
func TestAKilledRunMakesAReport(t *testing.T) {
	dir := t.TempDir()
	everything(t, dir)
	data, err := os.ReadFile(filepath.Join(dir, "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	for n := 1; n < len(lines)-1; n += 1 + len(lines)/60 {
		run, err := record.Decode(strings.NewReader(strings.Join(lines[:n], "") + lines[n][:len(lines[n])/2]))
		if err != nil {
			t.Fatal(err)
		}
		if run.OK() || !run.Truncated {
			t.Fatalf("killed at event %d: said to be well", n)
		}
		if err := Write(dir, run); err != nil {
			t.Fatalf("killed at event %d: %v", n, err)
		}
	}
}
